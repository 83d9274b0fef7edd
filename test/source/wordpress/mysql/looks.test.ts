// The same tests on MySQL.
process.env.DOMAINPILOT_TEST_DATABASE = 'mysql'
await import('../looks.test.ts')

export {}
