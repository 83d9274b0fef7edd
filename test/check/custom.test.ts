import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customFault } from '../../src/check/custom.ts'
import { profileOf } from '../../src/check/profile.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 0, 1)

test('custom-certificate-that-ends: what is wrong and what to do, in words of its own', () => {
  const fault = (days: number, hosts: string[] = ['a.example.com']) =>
    customFault({ names: ['a.example.com'], notBefore: NOW - 100 * DAY, notAfter: NOW + days * DAY }, hosts, NOW)
  assert.equal(fault(100), undefined)
  assert.match(fault(5) ?? '', /^The custom certificate ends on 2026-01-06\. Nobody renews it but you: install one/)
  assert.match(fault(0) ?? '', /^The custom certificate ended on 2026-01-01\. /)
  assert.match(fault(100, ['b.example.com']) ?? '', /^The custom certificate does not name b\.example\.com\. /)
  assert.match(
    fault(5, ['a.example.com', 'b.example.com']) ?? '',
    /^The custom certificate ends on 2026-01-06, and does not name b\.example\.com\. /,
  )
  assert.match(customFault(undefined, ['a.example.com'], NOW) ?? '', /cannot be read/)
})

test('the profile of a certificate: by its life, the default where that does not show it', () => {
  const profile = (days: number, more: { at?: number; names?: number } = {}) => {
    const notBefore = more.at ?? NOW
    const names = Array.from({ length: more.names ?? 2 }, (_, index) => `h${index}.example.com`)
    return profileOf({ notBefore, notAfter: notBefore + days * DAY, names })
  }
  assert.equal(profileOf(undefined), 'classic')
  assert.equal(profile(90), 'classic')
  assert.equal(profile(64), 'classic')
  assert.equal(profile(45), 'tlsserver')
  assert.equal(profile(45, { names: 26 }), 'classic')
  assert.equal(profile(45, { at: Date.UTC(2028, 1, 16) }), 'classic', 'from then on the default lives 45 days too')
  assert.equal(profile(6.67), 'shortlived')
})
