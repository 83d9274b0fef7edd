import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DnsState, DnsVerdict } from '../../../src/check/dns/judge.ts'
import { dueHosts, type HostMemory, hurry, remember } from '../../../src/check/dns/memory.ts'
import { outageVerdict, rememberOutage } from '../../../src/check/dns/outage.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const HOST = 'shop.example.com'

const verdict = (state: DnsState, ttl?: number): DnsVerdict => ({
  state,
  addresses: [],
  message: state,
  ...(ttl === undefined ? {} : { ttl }),
  ...(state === 'Unknown' ? { failure: 'Timeout' } : {}),
})

/** Looks whenever it is due; gives the pauses in minutes. */
function pauses(looks: readonly DnsVerdict[], before?: HostMemory): { minutes: number[]; last: HostMemory } {
  let memory = before
  let now = before?.dueAt ?? NOW
  const minutes: number[] = []
  for (const look of looks) {
    memory = remember(memory, HOST, look, now)
    minutes.push(Math.floor((memory.dueAt - now) / MINUTE))
    now = memory.dueAt
  }
  assert.ok(memory)
  return { minutes, last: memory }
}

const times = (count: number, look: DnsVerdict): DnsVerdict[] => Array.from({ length: count }, () => look)

/** Up to an eighth is added. */
function about(minutes: readonly number[], wanted: readonly number[]): void {
  assert.equal(minutes.length, wanted.length)
  for (const [index, want] of wanted.entries()) {
    const got = minutes[index] ?? 0
    assert.ok(got >= Math.floor(want) && got <= want * 1.125, `pause ${index}: ${got}, not about ${want}`)
  }
}

test('hours once right, minutes while wrong', () => {
  about(pauses(times(9, verdict('Ready', 60))).minutes, [5, 10, 20, 40, 80, 160, 320, 360, 360])
  about(pauses(times(6, verdict('NoRecords'))).minutes, [1, 2, 4, 8, 15, 15])
  about(pauses(times(6, verdict('PointsElsewhere', 60))).minutes, [1, 2, 4, 8, 15, 15])
})

test('not before the answer is over, but minutes all the same while wrong', () => {
  about(pauses([verdict('Ready', 3600)]).minutes, [60])
  about(pauses([verdict('Ready', 1_000_000)]).minutes, [360])
  about(pauses([verdict('PointsElsewhere', 600)]).minutes, [10])
  about(pauses([verdict('PointsElsewhere', 86_400)]).minutes, [15])
  about(pauses([verdict('Ready', 0)]).minutes, [5])
})

test('another state starts over', () => {
  const right = pauses(times(8, verdict('Ready', 60))).last
  const wrong = pauses([verdict('NoRecords')], right)
  about(wrong.minutes, [1])
  assert.equal(wrong.last.since, right.dueAt)
  about(pauses([verdict('Ready', 60)], wrong.last).minutes, [5])
})

test('soon after a change', () => {
  const right = pauses(times(8, verdict('Ready', 60))).last
  const hurried = hurry(right, right.checkedAt + MINUTE)
  assert.equal(hurried.dueAt, right.checkedAt + MINUTE)
  about(pauses([verdict('Ready', 60)], hurried).minutes, [5])
  assert.equal(hurry({ ...right, dueAt: NOW }, NOW + MINUTE).dueAt, NOW, 'never later than before')
})

test('one lost answer is no news, two are', () => {
  const right = pauses(times(8, verdict('Ready', 60))).last
  const once = pauses([verdict('Unknown')], right).last
  assert.equal(once.shown.state, 'Ready')
  assert.ok(once.dueAt - once.checkedAt < MINUTE, 'looked at again soon')
  const back = pauses([verdict('Ready', 60)], once)
  about(back.minutes, [360])
  assert.equal(back.last.since, right.since)
  const twice = pauses([verdict('Unknown')], once).last
  assert.equal(twice.shown.state, 'Unknown')
  assert.equal(pauses([verdict('Unknown')]).last.shown.state, 'Unknown', 'at once, when nothing was known before')
})

test('the order of urgency: never seen, then the longest overdue', () => {
  const at = (dueAt: number, checkedAt = NOW - MINUTE): HostMemory => ({
    shown: verdict('Ready'),
    checkedAt,
    dueAt,
    since: 0,
    streak: 1,
  })
  const memory = new Map([
    ['later', at(NOW + 1)],
    ['now', at(NOW)],
    ['overdue', at(NOW - 5000)],
    // Remembered before the clock was set back by a day.
    ['future', at(NOW + 24 * 60 * MINUTE, NOW + 23 * 60 * MINUTE)],
  ])
  assert.deepEqual(dueHosts(['later', 'now', 'overdue', 'future', 'new'], memory, NOW), [
    'future',
    'new',
    'overdue',
    'now',
  ])
})

test('hosts that came together do not stay together', () => {
  const due = Array.from(
    { length: 1000 },
    (_, index) => remember(undefined, `h${index}.example`, verdict('Ready', 60), NOW).dueAt,
  )
  const perSecond = new Map<number, number>()
  for (const at of due) perSecond.set(Math.floor(at / 1000), (perSecond.get(Math.floor(at / 1000)) ?? 0) + 1)
  assert.ok(Math.max(...perSecond.values()) <= 60, `${Math.max(...perSecond.values())} in one second`)
})

test('whatever comes, the next look is between half a minute and seven hours away', () => {
  const look = fc
    .tuple(
      fc.constantFrom<DnsState>('Ready', 'NoRecords', 'PointsElsewhere', 'Unknown'),
      fc.option(fc.nat()),
      fc.boolean(),
    )
    .map(([state, ttl, hurried]) => ({ look: verdict(state, ttl ?? undefined), hurried }))
  fc.assert(
    fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
      let memory: HostMemory | undefined
      let now = NOW
      for (const each of looks) {
        memory = remember(memory, HOST, each.look, now)
        const pause = memory.dueAt - now
        assert.ok(pause >= MINUTE / 2 && pause <= 7 * 60 * MINUTE, String(pause))
        assert.ok(memory.since <= now)
        if (each.hurried) memory = hurry(memory, now + 1)
        now = memory.dueAt
      }
    }),
  )
})

test('resolver-outage-is-not-absence: an outage is one fact, with one text', () => {
  let outage = rememberOutage(undefined, 'Timeout', NOW)
  const waits: number[] = []
  for (let now = NOW; waits.length < 6; now = outage?.dueAt ?? now) {
    outage = waits.length === 0 ? outage : rememberOutage(outage, 'Timeout', now)
    assert.ok(outage)
    waits.push((outage.dueAt - now) / 1000)
  }
  assert.deepEqual(waits, [30, 60, 120, 240, 300, 300])
  assert.equal(outage?.since, NOW)
  assert.equal(outage && outageVerdict(outage).state, 'Unknown')
  assert.match(
    (outage && outageVerdict(outage).message) ?? '',
    /since 2026-01-01T00:00:00.000Z \(it timed out\).*--dns-servers/,
  )
  assert.equal(rememberOutage(outage, undefined, NOW), undefined)
})
