import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overdueWords } from '../../src/check/certificate.ts'
import { looksOf } from '../../src/cli/explanation.ts'
import type { Host } from '../../src/domain/host.ts'
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
