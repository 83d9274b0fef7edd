import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overdueWords } from '../../src/check/certificate.ts'
import { looksOf, means } from '../../src/cli/explanation.ts'
import { displayHost, type Host } from '../../src/domain/host.ts'
import { cureOf } from '../../src/report/words.ts'
import type { Condition } from '../../src/status/status.ts'

const DAY = 86_400_000
const START = Date.UTC(2027, 1, 10)
const host = 'shop.example.com' as Host

test('lifetimes-of-64-45-and-6-days: explain tells a renewal that is overdue, and what to do', () => {
  const life = { notBefore: START, notAfter: START + 45 * DAY }
  const told = (reason: string, message: string) => {
    const condition = { type: 'CertificateReady', status: 'True', reason, message } as Condition
    return looksOf(host, [condition], { state: 'present', certificateNotAfter: life.notAfter })
  }
  const overdue = told('ExpiringSoon', `${overdueWords(life, START + 41 * DAY)}.`)
  assert.equal(
    overdue.certificate,
    'ExpiringSoon: The certificate ends on 2027-03-27 and was not renewed yet, which is urgent.',
  )
  assert.match(overdue.next ?? '', /^See that every host of the app resolves/)
  const fine = told('Succeeded', '')
  assert.match(fine.certificate ?? '', /^covers it, until /)
  assert.equal(fine.next, undefined)
})

test('unicode-names-are-found: a condition that names the host is said of it, in whatever script it is written', () => {
  const books = 'xn--bcher-kva.example.com' as Host
  const message = `${displayHost(books)} has no record.`
  const dns = { type: 'DNSReady', status: 'False', reason: 'NoRecords', message } as Condition
  const { dns: said, next } = looksOf(books, [dns], { state: 'present' })
  assert.equal(said, `NoRecords: ${message}`)
  assert.equal(next, cureOf('NoRecords'))
})

test('unicode-names-are-found: a domain that is written wrongly means the host that stands in it', () => {
  const books = 'xn--bcher-kva.example.com' as Host
  for (const written of [
    'https://bücher.example.com/shop',
    'bücher.example.com:8080',
    'me@BÜCHER.example.com',
    'bücher.example.com?x',
  ])
    assert.ok(means(written, books), written)
  for (const written of ['https://shop.example.com/bücher.example.org', 'abücher.example.com', '', 'https://'])
    assert.ok(!means(written, books), written)
  assert.ok(means('https://Shop.example.com./x', host))
  assert.ok(!means('https://my-shop.example.com/x', host))
})
