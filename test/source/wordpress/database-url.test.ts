import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DatabaseError } from '../../../src/source/wordpress/database-error.ts'
import { parseDatabaseUrl } from '../../../src/source/wordpress/database-url.ts'

const ORIGIN = 'Secret wordpress/wp-db key url'
const parse = (url: string) => parseDatabaseUrl(url, ORIGIN)

describe('parseDatabaseUrl', () => {
  test('all parts, and their defaults', () => {
    assert.deepEqual(parse('mysql://u:p@db.example/wp'), {
      origin: ORIGIN,
      host: 'db.example',
      port: 3306,
      user: 'u',
      password: 'p',
      database: 'wp',
    })
    assert.equal(parse(' mariadb://u:p@db:3307/wp\n').port, 3307)
    assert.equal(parse('mysql://u@[::1]:3307/wp').host, '::1')
    assert.equal(parse('mysql://u@db/wp').password, '')
    assert.equal(parse('mysql://u:p@/wp?socket=/run/mysqld.sock').socket, '/run/mysqld.sock')
    assert.equal(parse('mysql://u:p@db/wp?charset=utf8mb4').database, 'wp')
  })

  test('what is encoded is decoded, each part by itself', () => {
    const { user, password, database } = parse('mysql://u%40x:a%23b%40c%25d%2Fe%3Ff:g@db/w%2Dp')
    assert.deepEqual([user, password, database], ['u@x', 'a#b@c%d/e?f:g', 'w-p'])
  })

  test('TLS', () => {
    const tls = (options: string) => parse(`mysql://u:p@db/wp?${options}`).tls
    assert.deepEqual(tls('ssl=true'), { mode: 'VerifyIdentity' })
    assert.deepEqual(tls('ssl={"rejectUnauthorized":false}'), { mode: 'Required' })
    assert.deepEqual(tls('ssl=%7B%22rejectUnauthorized%22%3Atrue%7D'), { mode: 'VerifyIdentity' })
    assert.deepEqual(tls('ssl-mode=REQUIRED'), { mode: 'Required' })
    assert.deepEqual(tls('ssl-mode=verify_ca&ssl-ca=/etc/ca.pem'), { mode: 'VerifyCa', ca: '/etc/ca.pem' })
    assert.deepEqual(tls('ssl-ca=/etc/ca.pem'), { mode: 'VerifyIdentity', ca: '/etc/ca.pem' })
    assert.equal(tls('ssl=false'), undefined)
    assert.equal(tls('ssl-mode=DISABLED'), undefined)
  })

  const SECRET = 'geheimnis'
  const faults: [url: string, says: RegExp][] = [
    [`mysql://u:${SECRET}#x@db/wp`, /"#".*%23/],
    [`mysql://u:${SECRET}@x@db/wp`, /second "@".*%40/],
    [`mysql://u:${SECRET}%x@db/wp`, /"%".*%25/],
    [`mysql://u:${SECRET}%@db/wp`, /"%".*%25/],
    [`mysql://u:${SECRET}/x@db/wp`, /"\/" or "\?".*%2F/],
    [`mysql://u:${SECRET}?x@db/wp`, /"\/" or "\?".*%3F/],
    [`mysql://u:${SECRET} x@db/wp`, /blank.*%20/],
    [`mysql://u:${SECRET}%FF@db/wp`, /not UTF-8/],
    [`mysql://:${SECRET}@db/wp`, /names no user/],
    [`mysql://u:${SECRET}@db`, /names no database/],
    [`mysql://u:${SECRET}@db/`, /names no database/],
    [`mysql://u:${SECRET}@db/a/b`, /"\/" in it/],
    [`mysql://u:${SECRET}@/wp`, /names no host/],
    [`mysql://u:${SECRET}@db:0/wp`, /host or port/],
    [`mysql://u:${SECRET}@db:99999/wp`, /host or port/],
    [`mysql://u:${SECRET}@::1/wp`, /host or port.*\[::1\]/],
    [`postgres://u:${SECRET}@db/wp`, /not a database URL.*mysql:/],
    [SECRET, /not a database URL/],
    ['', /not a database URL/],
    [`mysql://u:p@db/wp?${SECRET}=1`, /option that is not known.*ssl-mode/],
    [`mysql://u:p@db/wp?multipleStatements=true`, /option that is not known/],
    [`mysql://u:p@db/wp?ssl={${SECRET}`, /ssl .*JSON.*ssl-mode/],
    [`mysql://u:p@db/wp?ssl={"ca":"${SECRET}"}`, /ssl .*JSON/],
    [`mysql://u:p@db/wp?ssl=`, /ssl without a value/],
    [`mysql://u:p@db/wp?ssl-mode=${SECRET}`, /ssl-mode that is not known.*VERIFY_CA/],
    ['mysql://u:p@db/wp?ssl=true&ssl=false', /ssl twice/],
    ['mysql://u:p@db/wp?ssl=false&ssl-mode=REQUIRED', /contradict/],
    ['mysql://u:p@db/wp?ssl-mode=DISABLED&ssl-ca=/a', /contradict/],
    ['mysql://u:p@192.0.2.1/wp?ssl=true', /address.*ssl-mode=VERIFY_CA/],
    ['mysql://u:p@[::1]/wp?ssl-ca=/a', /address.*ssl-mode=VERIFY_CA/],
    ['mysql://u:p@db/wp?charset=latin1', /charset/],
    ['mysql://u:p@db/wp?socket=run.sock', /absolute path/],
  ]
  for (const [url, says] of faults) {
    test(`the fault is named, the origin too, and no part of the URL: ${url.replaceAll(SECRET, '…')}`, () => {
      assert.throws(
        () => parse(url),
        (error: unknown) => {
          assert.ok(error instanceof DatabaseError)
          assert.match(error.message, says)
          assert.ok(error.message.startsWith(`${ORIGIN}: `))
          const everything = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.cause)
          assert.doesNotMatch(everything, new RegExp(SECRET))
          return true
        },
      )
    })
  }
})
