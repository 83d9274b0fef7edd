import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ConditionInput,
  cutMessage,
  MAX_MESSAGE_BYTES,
  setCondition,
  summarize,
} from '../../src/status/conditions.ts'
import { EVENTS, REASONS, type Reason } from '../../src/status/reasons.ts'
import type { Condition } from '../../src/status/status.ts'

const said = (type: string, status: Condition['status'], reason: Reason, message = ''): ConditionInput => ({
  type,
  status,
  reason,
  message,
  observedGeneration: 1,
})

function build(
  kind: 'ServerPilotApp' | 'DomainMapping',
  inputs: ConditionInput[],
  generation = 1,
): Record<string, string> {
  const list = inputs.reduce<Condition[]>((made, input) => setCondition(made, input, 10), [])
  return Object.fromEntries(
    summarize(kind, list, generation, 10).map((one) => [one.type, `${one.status} ${one.reason}`]),
  )
}

test('the time of a condition moves with its status alone', () => {
  const first = setCondition([], said('Synced', 'False', 'ApiUnreachable', 'a'), 10)
  const second = setCondition(first, said('Synced', 'False', 'RateLimited', 'b'), 20)
  assert.deepEqual([second[0]?.lastTransitionTime, second[0]?.reason, second[0]?.message], [10, 'RateLimited', 'b'])
  const third = setCondition(second, said('Synced', 'True', 'Succeeded'), 30)
  assert.equal(third[0]?.lastTransitionTime, 30)
  assert.equal(first[0]?.reason, 'ApiUnreachable', 'the list that came in is untouched')
})

const accepted = said('Accepted', 'True', 'Succeeded')
const synced = said('Synced', 'True', 'Succeeded')

const CASES: [name: string, inputs: ConditionInput[], ready: string, reconciling: string, stalled: string][] = [
  ['nothing said yet', [], 'Unknown', 'True', 'False'],
  ['all well, no checks', [accepted, synced], 'True', 'False', 'False'],
  ['not accepted, for good', [said('Accepted', 'False', 'InvalidDomain')], 'False', 'False', 'True'],
  ['not accepted, for now', [said('Accepted', 'False', 'AppNotFound'), synced], 'False', 'True', 'False'],
  ['not synced, for now', [accepted, said('Synced', 'False', 'ApiUnreachable')], 'False', 'True', 'False'],
  ['removals refused', [accepted, said('Synced', 'False', 'RemovalRefused')], 'False', 'False', 'True'],
  ['suspended', [accepted, said('Synced', 'Unknown', 'Suspended')], 'Unknown', 'False', 'False'],
  ['resolver fails', [accepted, synced, said('DNSReady', 'Unknown', 'ResolverFailed')], 'True', 'False', 'False'],
  ['first check under way', [accepted, synced, said('DNSReady', 'Unknown', 'Progressing')], 'Unknown', 'True', 'False'],
  ['DNS elsewhere', [accepted, synced, said('DNSReady', 'False', 'PointsElsewhere')], 'False', 'True', 'False'],
  [
    'certificate given up',
    [accepted, synced, said('CertificateReady', 'False', 'AttemptsExhausted')],
    'False',
    'False',
    'True',
  ],
]

for (const [name, inputs, ready, reconciling, stalled] of CASES) {
  test(`kstatus: ${name}`, () => {
    const is = build('DomainMapping', inputs)
    const words = ['Ready', 'Reconciling', 'Stalled'].map((type) => is[type]?.split(' ')[0])
    assert.deepEqual(words, [ready, reconciling, stalled])
  })
}

test('a part that speaks of an older generation is Unknown', () => {
  assert.equal(build('ServerPilotApp', [accepted, synced], 2).Ready, 'Unknown Progressing')
})

test('the terminal reason is named before one that may pass', () => {
  const is = build('ServerPilotApp', [
    accepted,
    said('Synced', 'False', 'ApiUnreachable'),
    said('CertificateReady', 'False', 'AttemptsExhausted'),
  ])
  assert.equal(is.Ready, 'False AttemptsExhausted')
})

test('whatever the parts, never Reconciling and Stalled at once, and neither beside Ready', () => {
  const status = fc.constantFrom('True', 'False', 'Unknown' as const)
  const reason = fc.constantFrom(...(Object.keys(REASONS) as Reason[]))
  const part = fc.record({
    type: fc.constantFrom('Accepted', 'Synced', 'DNSReady', 'CertificateReady'),
    status,
    reason,
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const is = build(
        'DomainMapping',
        parts.map((one) => said(one.type, one.status as Condition['status'], one.reason)),
      )
      const on = ['Ready', 'Reconciling', 'Stalled'].filter((type) => is[type]?.startsWith('True'))
      assert.ok(on.length <= 1, on.join())
    }),
  )
})

test('a second summary changes nothing', () => {
  const once = summarize('ServerPilotApp', setCondition([], said('Synced', 'False', 'Contended', 'x'), 1), 1, 5)
  assert.deepEqual(summarize('ServerPilotApp', once, 1, 9), once)
})

test('messages are cut between characters, under the bound', () => {
  const long =
    setCondition([], said('Synced', 'False', 'RemovalRefused', 'bücher🙂.example, '.repeat(5_000)), 1)[0]?.message ?? ''
  assert.ok(Buffer.byteLength(long) <= MAX_MESSAGE_BYTES)
  assert.ok(long.endsWith('(cut)') && !long.includes('\uFFFD'))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 12, max: 50 }), (text, bytes) => {
      const cut = cutMessage(text, bytes)
      assert.ok(Buffer.byteLength(cut) <= bytes || cut === text)
      assert.ok(Buffer.byteLength(text) > bytes || cut === text)
      assert.ok(!cut.includes('\uFFFD') || text.includes('\uFFFD'))
    }),
  )
})

test('each reason says what is so, and what to do unless there is nothing', () => {
  for (const [name, entry] of [...Object.entries(REASONS), ...Object.entries(EVENTS)]) {
    assert.match(name, /^[A-Z][A-Za-z0-9]+$/)
    assert.match(entry.summary, /^[A-Z].*\.$/, name)
    assert.match(entry.cure, /^$|\.$/, name)
  }
})
