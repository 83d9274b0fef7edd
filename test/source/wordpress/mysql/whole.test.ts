// The same tests on MySQL.
process.env.DOMAINPILOT_TEST_DATABASE = 'mysql'
await import('../whole.test.ts')

export {}
