import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { endpointOf, parseDbHost } from '../../src/wp-config/db-host.ts'

describe('DB_HOST', () => {
  for (const [text, wanted] of [
    ['localhost', { host: 'localhost' }],
    ['db.example.com', { host: 'db.example.com' }],
    ['db:3307', { host: 'db', port: 3307 }],
    ['127.0.0.1:3306', { host: '127.0.0.1', port: 3306 }],
    ['localhost:/run/mysqld.sock', { host: 'localhost', socket: '/run/mysqld.sock' }],
    [':/run/mysqld.sock', { host: 'localhost', socket: '/run/mysqld.sock' }],
    [':3307', { host: 'localhost', port: 3307 }],
    ['[::1]:/run/mysqld.sock', { host: '::1', socket: '/run/mysqld.sock' }],
    ['[::1]:3306', { host: '::1', port: 3306 }],
    ['::1', { host: '::1' }],
    ['p:db', { host: 'p' }],
    ['p:db:3307', undefined],
    [' db ', { host: 'db' }],
    ['db:port', { host: 'db' }],
    ['db:99999', undefined],
    ['http://db', undefined],
  ] as const)
    test(JSON.stringify(text), () => assert.deepEqual(parseDbHost(text), wanted))

  test('localhost is the usual socket where there is one, else the loopback address', () => {
    assert.deepEqual(
      endpointOf({ host: 'localhost' }, (path) => path === '/run/mysqld/mysqld.sock'),
      { host: 'localhost', socket: '/run/mysqld/mysqld.sock' },
    )
    assert.deepEqual(
      endpointOf({ host: 'localhost' }, () => false),
      { host: '127.0.0.1' },
    )
    assert.deepEqual(
      endpointOf({ host: 'localhost', port: 3307 }, () => false),
      { host: '127.0.0.1', port: 3307 },
    )
    assert.deepEqual(
      endpointOf({ host: 'db' }, () => true),
      { host: 'db' },
    )
    assert.deepEqual(
      endpointOf({ host: 'localhost', socket: '/run/my.sock' }, () => false),
      { host: 'localhost', socket: '/run/my.sock' },
    )
  })

  test('PHP takes the socket for localhost even where a port is named, and the port for a host where a socket is named', () => {
    const there = (path: string) => path === '/run/mysqld/mysqld.sock'
    for (const host of ['localhost', 'LOCALHOST'])
      assert.deepEqual(endpointOf({ host, port: 3307 }, there), { host, socket: '/run/mysqld/mysqld.sock' })
    assert.deepEqual(endpointOf({ host: 'db', port: 3307, socket: '/run/my.sock' }, there), { host: 'db', port: 3307 })
    assert.deepEqual(endpointOf({ host: '127.0.0.1' }, there), { host: '127.0.0.1' })
  })

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDbHost(text)))
  })
})
