// The same tests on MySQL.
process.env.DOMAINPILOT_TEST_DATABASE = 'mysql'
await import('../plugin-rows.test.ts')

export {}
