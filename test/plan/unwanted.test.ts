import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/domain/host.ts'
import { leftoversOf } from '../../src/plan/merge.ts'
import { app, mappings, plan, planInput, record } from './fixture.ts'

const OBSERVED = ['home.example', 'a.example.com', 'www.a.example.com', 'old.example.com', 'by-hand.example.org']
const WANTED = mappings(['a.example.com'])
const unwanted = new Set(['old.example.com'] as Host[])

describe('foreign hosts that a person asked to remove', () => {
  for (const policy of ['Sync', 'UpsertOnly', 'Exclusive'] as const) {
    test(`${policy}: nothing goes without approval, and exactly these with it`, () => {
      const more = { app: app({ policy, protectedDomains: ['home.example', 'by-hand.example.org'] }), unwanted }
      const before = record(['a.example.com'])
      const asked = plan(WANTED, OBSERVED, before, more)
      assert.deepEqual(asked.removals, [])
      assert.deepEqual(asked.waiting, ['old.example.com'])
      assert.match(asked.refused?.message ?? '', /1 host\(s\) that domainpilot did not add/)
      const approved = plan(WANTED, OBSERVED, before, { ...more, approvals: [asked.hash] })
      assert.deepEqual(approved.removals, ['old.example.com'])
      assert.ok(approved.list.includes('by-hand.example.org'))
    })
  }

  test('each such plan needs its own approval, also where Exclusive had one before', () => {
    const asked = plan(WANTED, OBSERVED, record(['a.example.com'], { exclusiveApproved: true }), { unwanted })
    assert.deepEqual(asked.waiting, ['old.example.com'])
  })

  test('what is protected, wanted or not there is not removed; under Observe nothing is', () => {
    const names = new Set(['home.example', 'a.example.com', 'nowhere.example.com'] as Host[])
    const protectedHosts = ['home.example']
    const asked = plan(WANTED, OBSERVED, record([]), { unwanted: names, protectedHosts })
    assert.deepEqual([...asked.waiting, ...asked.removals], [])
    const observe = plan(WANTED, OBSERVED, record([]), { unwanted, app: app({ policy: 'Observe' }) })
    assert.deepEqual(observe.removals, [])
  })

  test('leftovers: neither protected names nor the www of what is wanted', () => {
    const input = planInput(WANTED, OBSERVED, record(['a.example.com']), { protectedHosts: ['home.example'] })
    const { foreign } = plan(WANTED, OBSERVED, record(['a.example.com']))
    assert.deepEqual(leftoversOf(foreign, input), ['by-hand.example.org', 'old.example.com'])
  })
})
