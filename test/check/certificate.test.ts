import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { certificateFacts, covers } from '../../src/check/certificate.ts'
import { makeChains } from './chains.ts'

const chains = makeChains()
after(() => chains.remove())
const factsOf = (names: readonly string[] | undefined, subject?: string) =>
  certificateFacts(chains.leaf({ ...(names === undefined ? {} : { names }), ...(subject ? { subject } : {}) }).cert)

test('names-that-lets-encrypt-refuses: only SANs count, also where there is no subject', () => {
  const long = 'the-very-long-name-of-a-shop.in-the-catalogue-of-our-customers.brand.example.com'
  const facts = factsOf([`DNS:${long}`])
  assert.deepEqual(facts?.names, [long])
  assert.ok(facts && covers(facts, long))
  const subjectOnly = factsOf(undefined, '/CN=shop.example.com')
  assert.deepEqual(subjectOnly?.names, [])
  assert.ok(subjectOnly && !covers(subjectOnly, 'shop.example.com'))
})

test('names come in canonical form, addresses as well, other kinds not', () => {
  const facts = factsOf([
    'DNS:SHOP.Example.com',
    'IP:192.0.2.10',
    'URI:https://uri.example/',
    'email:a@mail.example',
    'DNS:*.b.example',
  ])
  assert.deepEqual(facts?.names, ['shop.example.com', '192.0.2.10', '*.b.example'])
})

test('the text of a name within another name counts for nothing', () => {
  const facts = factsOf(['DNS:good.example', 'DNS:x, DNS:evil.example, DNS:y'])
  assert.ok(facts && covers(facts, 'good.example'))
  assert.ok(!covers(facts, 'evil.example'), String(facts.names))
})

test('a wildcard covers one label, to the left', () => {
  const facts = { notAfter: 0, names: ['*.example.com'] }
  for (const [host, right] of [
    ['a.example.com', true],
    ['*.example.com', true],
    ['example.com', false],
    ['a.b.example.com', false],
    ['xexample.com', false],
  ] as const) {
    assert.equal(covers(facts, host), right, host)
  }
})

test('the end of it in milliseconds', () => {
  const facts = certificateFacts(chains.leaf({ names: ['DNS:a.example'], to: 10 }).cert)
  const days = ((facts?.notAfter ?? 0) - Date.now()) / 86_400_000
  assert.ok(days > 9.9 && days < 10.1, String(days))
})

test('what is no certificate covers nothing', () => {
  for (const text of ['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    assert.equal(certificateFacts(text), undefined)
  }
})
