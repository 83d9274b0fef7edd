import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressSet } from '../../../src/check/dns/addresses.ts'
import { parseNetwork } from '../../../src/domain/network.ts'

const has = (values: string[], address: string): boolean => addressSet(values).has(address)

test('addresses and networks of both families', () => {
  for (const [value, inside, outside] of [
    ['192.0.2.10', '192.0.2.10', '192.0.2.11'],
    ['192.0.2.10', '::ffff:192.0.2.10', '::ffff:192.0.2.11'],
    ['::ffff:192.0.2.10', '192.0.2.10', '192.0.2.11'],
    ['::ffff:c000:20a', '192.0.2.10', '192.0.2.11'],
    ['::ffff:192.0.2.0/120', '192.0.2.77', '192.0.3.1'],
    ['198.51.100.0/24', '198.51.100.255', '198.51.101.0'],
    // The bits of the host do not count.
    ['198.51.100.77/24', '198.51.100.1', '198.51.101.1'],
    ['198.51.100.4/31', '198.51.100.5', '198.51.100.6'],
    ['198.51.100.4/32', '198.51.100.4', '198.51.100.5'],
    ['0.0.0.0/0', '8.8.8.8', '2001:db8::1'],
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:db8::2'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::1'],
    ['::/0', '2001:db8::1', ''],
  ] as const) {
    assert.ok(has([value], inside), `${value} has ${inside}`)
    assert.ok(!has([value], outside), `${value} has not ${outside}`)
  }
})

test('behind-a-cdn: a value that is neither is left out', () => {
  const values = [
    '192.0.2.10',
    'cdn.example',
    '198.51.100.0/33',
    '10.0.0.0/8/8',
    '1.2.3',
    'fe80::1%eth0',
    '',
    '10.0.0.0/08',
  ]
  const all = [...values, '::ffff:1.2.3.4/95', '2001:db8::/129', '203.0.113.9']
  const set = addressSet(all)
  assert.deepEqual(
    all.flatMap((value, index) => (parseNetwork(value) === undefined ? [index] : [])),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  assert.ok(set.has('192.0.2.10') && set.has('203.0.113.9'), 'the others count')
  assert.deepEqual([set.v4, set.v6, set.empty], [['192.0.2.10', '203.0.113.9'], [], false])
  assert.ok(addressSet(['x']).empty && addressSet([]).empty)
})

test('a network has exactly the addresses that share its front bits', () => {
  const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  const bits = (parts: readonly number[]) => parts.map((part) => part.toString(2).padStart(8, '0')).join('')
  fc.assert(
    fc.property(address, fc.nat(32), address, fc.nat(32), (network, prefix, random, shared) => {
      // Random addresses are hardly ever near: take over the front bits now and then.
      const text = bits(network).slice(0, shared) + bits(random).slice(shared)
      const other = [0, 8, 16, 24].map((at) => Number.parseInt(text.slice(at, at + 8), 2))
      const right = bits(network).slice(0, prefix) === bits(other).slice(0, prefix)
      return has([`${network.join('.')}/${prefix}`], other.join('.')) === right
    }),
  )
})

test('total: any text is either a value or left out, and asking never throws', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6())), fc.string(), (values, text) => {
      const set = addressSet(values)
      assert.equal(typeof set.has(text), 'boolean')
      for (const value of values) {
        if (parseNetwork(value) === undefined) assert.ok(!set.has(value))
        else assert.ok(set.has(value.split('/')[0] ?? ''), value)
      }
    }),
  )
})
