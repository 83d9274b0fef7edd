// The same tests on MySQL.
process.env.DOMAINPILOT_TEST_DATABASE = 'mysql'
await import('../faults.test.ts')

export {}
