import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { LeaseRecord, LeaseWrite, StoredLease } from '../../src/kubernetes/api.ts'
import {
  answered,
  expire,
  LEASE_TIMINGS,
  type LeaseAnswer,
  type LeaseRequest,
  type LeaseState,
  type Moment,
  newLeaseState,
  nextRequest,
  observed,
  outranked,
  release,
  released,
  writeObstacle,
} from '../../src/kubernetes/lease-state.ts'

const at = (ms: number): Moment => ({ monotonic: ms, wall: Date.UTC(2026, 0, 15) + ms })

function recordOf(write: LeaseWrite): LeaseRecord {
  const { holder, durationSeconds, transitions, acquiredAt, renewedAt } = write
  const [acquireTime, renewTime] = [new Date(acquiredAt).toISOString(), new Date(renewedAt).toISOString()]
  return { holder, durationSeconds, transitions, acquireTime, renewTime }
}

/** A Lease on a server: what the API server does with the three calls. */
function leaseServer() {
  let stored: StoredLease | undefined
  let version = 0
  const put = (write: LeaseWrite): LeaseAnswer => {
    server.told.push(recordOf(write))
    stored = { record: recordOf(write), resourceVersion: String(++version), labels: {}, annotations: {} }
    return { is: 'stored', stored }
  }
  const server = {
    remove() {
      stored = undefined
    },
    /** Everything that it has told watchers, the newest last. */
    told: [] as LeaseRecord[],
    handle(request: LeaseRequest): LeaseAnswer {
      if (request.call === 'read') return stored === undefined ? { is: 'missing' } : { is: 'stored', stored }
      if (request.call === 'create') return stored === undefined ? put(request.write) : { is: 'conflict' }
      if (stored === undefined) return { is: 'missing' }
      return request.base.resourceVersion === stored.resourceVersion ? put(request.write) : { is: 'conflict' }
    },
  }
  return server
}

/** One try as the elector makes it, all answers at once. */
function tryOnce(state: LeaseState, server: ReturnType<typeof leaseServer>, now: number | Moment): LeaseState {
  const moment = typeof now === 'number' ? at(now) : now
  let next = state.phase.is === 'Standby' ? { ...state, base: undefined } : state
  for (let sent = 0; sent < 4; sent++) {
    next = expire(next, moment, '')
    const request = nextRequest(next, moment)
    if (request === undefined) break
    const answer = server.handle(request)
    next = answered(next, { request, answer, sent: moment }, moment)
    if (answer.is === 'stored' && request.call !== 'read') break
  }
  return next
}

const epochOf = (state: LeaseState): number => (state.phase.is === 'Leading' ? state.phase.epoch : Number.NaN)
const fresh = (identity: string): LeaseState => newLeaseState(identity, LEASE_TIMINGS)

describe('election', () => {
  test('the first leads at once, the second waits until it has seen no change for the duration', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    assert.equal(a.phase.is, 'Leading')
    let b = tryOnce(fresh('b'), server, 9_000)
    // The record is old for whoever reads the times in it; b sees it for the first time.
    b = tryOnce(b, server, 23_999)
    assert.equal(b.phase.is, 'Standby')
    b = tryOnce(b, server, 24_001)
    assert.equal(b.phase.is, 'Leading')
    assert.equal(epochOf(b), epochOf(a) + 1)
    assert.equal(tryOnce(a, server, 24_002).phase.is, 'Lost')
  })

  test('each renewal that is seen starts the wait anew', () => {
    const server = leaseServer()
    let a = tryOnce(fresh('a'), server, 0)
    let b = fresh('b')
    for (let ms = 1000; ms < 60_000; ms += 2000) {
      a = tryOnce(a, server, ms)
      b = tryOnce(b, server, ms + 1)
    }
    assert.equal(a.phase.is, 'Leading')
    assert.equal(b.phase.is, 'Standby')
  })

  test('a Lease that was given back is taken at once, with the next epoch', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    const b = tryOnce(fresh('b'), server, 1000)
    const gone = released(a)
    assert.match(writeObstacle(gone, at(1000)) ?? '', /given back/)
    const now = server.handle({ call: 'read' })
    assert.ok(now.is === 'stored')
    assert.equal(server.handle(release(now.stored, at(1001))).is, 'stored')
    assert.equal(epochOf(tryOnce(b, server, 1002)), epochOf(a) + 1)
  })

  test('a Lease deleted under its holder: the holder makes it anew and keeps its epoch, a standby waits', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    const b = tryOnce(fresh('b'), server, 1000)
    server.remove()
    assert.equal(tryOnce(b, server, 1500).phase.is, 'Standby')
    const again = tryOnce(a, server, 2000)
    assert.equal(again.phase.is, 'Leading')
    assert.equal(epochOf(again), epochOf(a))
  })

  test('the epoch of a Lease that was made anew is higher than before', () => {
    const first = tryOnce(fresh('a'), leaseServer(), 0)
    const second = tryOnce(fresh('b'), leaseServer(), 3_600_000)
    assert.ok(epochOf(second) > epochOf(first))
    assert.ok(epochOf(second) < 2 ** 31, 'leaseTransitions has 32 bits')
  })

  test('a Lease that was put back: the next leader is above every epoch since the minute before', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    let b = tryOnce(fresh('b'), server, 3_600_000)
    b = tryOnce(b, server, 3_600_000 + LEASE_TIMINGS.duration + 1)
    assert.equal(epochOf(b), epochOf(a) + 60)
  })

  test('a record with a later epoch: who still leads goes above it with the next renewal, who does not has lost', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    const later = epochOf(a) + 5
    assert.equal(epochOf(tryOnce(outranked(a, later), server, 1000)), later + 1)
    assert.equal(epochOf(tryOnce(outranked(tryOnce(a, server, 1500), 3), server, 2000)), epochOf(a))

    const b = tryOnce(outranked(fresh('b'), later), server, 3000)
    const leader = tryOnce(b, server, 3001 + LEASE_TIMINGS.duration)
    assert.ok(epochOf(leader) > later)
    assert.equal(tryOnce(outranked(a, epochOf(leader)), server, 3002 + LEASE_TIMINGS.duration).phase.is, 'Lost')
  })

  test('an epoch that no Lease can hold raises nothing', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    for (const absurd of [2 ** 31 - 1, 2 ** 40]) assert.equal(outranked(a, absurd), a)
  })

  test('our own write whose answer was lost is ours', () => {
    const server = leaseServer()
    const a = answered(fresh('a'), { request: { call: 'read' }, answer: { is: 'missing' }, sent: at(0) }, at(0))
    const create = nextRequest(a, at(0))
    assert.equal(create?.call, 'create')
    server.handle(create as LeaseRequest)
    const unsure = answered(a, { request: create as LeaseRequest, answer: { is: 'failed' }, sent: at(0) }, at(5000))
    assert.equal(unsure.phase.is, 'Standby')
    assert.equal(tryOnce(unsure, server, 5001).phase.is, 'Leading')
  })

  test('leader-that-wakes-up-late: no write may begin, whichever clock tells', () => {
    const a = tryOnce(fresh('a'), leaseServer(), 0)
    assert.equal(writeObstacle(a, at(9_999)), undefined)
    assert.match(writeObstacle(a, at(10_000)) ?? '', /renewed last 10 s ago/)
    const suspended = { monotonic: 1, wall: at(40_000).wall }
    assert.match(writeObstacle(a, suspended) ?? '', /40 s ago/)
    const clockSetBack = { monotonic: 1, wall: 0 }
    assert.equal(writeObstacle(a, clockSetBack), undefined)
    assert.equal(expire(a, at(10_000), 'ECONNREFUSED').phase.is, 'Lost')
  })

  test('the time to write counts from when the renewal was sent, not from its answer', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    const renew = nextRequest(a, at(2000)) as LeaseRequest
    const renewed = answered(a, { request: renew, answer: server.handle(renew), sent: at(2000) }, at(9000))
    const clockSetBack = (monotonic: number): Moment => ({ monotonic, wall: 0 })
    assert.equal(writeObstacle(renewed, clockSetBack(11_999)), undefined)
    assert.match(writeObstacle(renewed, clockSetBack(12_000)) ?? '', /10 s ago/)
  })

  test('a renewal that a standby is told of counts from then, and not from its next look', () => {
    const server = leaseServer()
    const a = tryOnce(fresh('a'), server, 0)
    const b = tryOnce(fresh('b'), server, 100)
    tryOnce(a, server, 2_000)
    const told = observed(b, server.told.at(-1) as LeaseRecord, at(2_010))
    assert.equal(tryOnce(b, server, 17_011).phase.is, 'Standby')
    assert.equal(tryOnce(told, server, 17_011).phase.is, 'Leading')
  })

  test('an answer that comes too late makes nobody leader', () => {
    const a = answered(fresh('a'), { request: { call: 'read' }, answer: { is: 'missing' }, sent: at(0) }, at(0))
    const create = nextRequest(a, at(0)) as LeaseRequest
    const answer = leaseServer().handle(create)
    assert.equal(answered(a, { request: create, answer, sent: at(0) }, at(40_000)).phase.is, 'Standby')
  })
})

type Act = { node: number; does: 'try' | 'ask' | 'deliver' | 'lose' | 'answer' | 'stop' | 'notice'; wait: number }

interface Node {
  state: LeaseState
  rate: number
  offset: number
  flying?: { request: LeaseRequest; sent: Moment; answer?: LeaseAnswer }
}

/** A wall clock that runs backwards is of no help: the monotonic one alone has to do. */
function clockOf({ offset, rate }: Node, now: number): Moment {
  const monotonic = offset + now * rate
  return { monotonic, wall: Date.UTC(2026, 0, 15) - monotonic }
}

test('never two leaders: any order of requests, answers lost and late, frozen processes, clocks that differ by 15 %', () => {
  const act: fc.Arbitrary<Act> = fc.record({
    node: fc.nat(2),
    does: fc.oneof(
      { weight: 8, arbitrary: fc.constant('try' as const) },
      { weight: 4, arbitrary: fc.constant('ask' as const) },
      { weight: 4, arbitrary: fc.constant('deliver' as const) },
      { weight: 4, arbitrary: fc.constant('answer' as const) },
      { weight: 3, arbitrary: fc.constant('notice' as const) },
      { weight: 1, arbitrary: fc.constantFrom('lose' as const, 'stop' as const) },
    ),
    wait: fc.oneof(
      { weight: 4, arbitrary: fc.nat(300) },
      { weight: 4, arbitrary: fc.nat(3000) },
      { weight: 1, arbitrary: fc.nat(20_000) },
    ),
  })
  const clock = fc.record({ rate: fc.double({ min: 0.85, max: 1.15, noNaN: true }), offset: fc.nat(10_000_000) })
  let led = 0
  let takenOver = 0
  fc.assert(
    fc.property(fc.tuple(clock, clock, clock), fc.array(act, { maxLength: 120, size: 'max' }), (clocks, acts) => {
      const server = leaseServer()
      const nodes: Node[] = clocks.map((each, i) => ({ ...each, state: fresh(`n${i}`) }))
      const leaders = new Set<number>()
      let now = 0
      for (const { node: i, does, wait } of acts) {
        const node = nodes[i] as Node
        const local = clockOf(node, now)
        const { flying } = node
        if (does === 'stop') {
          // Ends and comes back as another process.
          nodes[i] = { rate: node.rate, offset: node.offset, state: fresh(`n${i} at ${now}`) }
        } else if (does === 'notice') {
          // Events come in order, at any time later.
          const record = server.told.at(-1 - (wait % 3))
          if (record !== undefined) node.state = observed(node.state, record, local)
        } else if (does === 'try' && flying === undefined) {
          node.state = tryOnce(node.state, server, local)
        } else if (does === 'ask' && flying === undefined) {
          const state = expire(node.state, local, '')
          node.state = state
          const request = nextRequest(state, local)
          if (request !== undefined) node.flying = { request, sent: local }
          else if (state.phase.is === 'Standby') node.state = { ...state, base: undefined }
        } else if (does === 'deliver' && flying !== undefined && flying.answer === undefined) {
          flying.answer = server.handle(flying.request)
        } else if ((does === 'answer' || does === 'lose') && flying !== undefined) {
          // Lost after it was delivered, or before: the same to whoever waits.
          const answer: LeaseAnswer = does === 'lose' ? { is: 'failed' } : (flying.answer ?? { is: 'failed' })
          node.state = answered(node.state, { ...flying, answer }, local)
          delete node.flying
        }
        for (let step = 0; step <= 10; step++) {
          const then = now + (wait * step) / 10
          const may = nodes.flatMap((each, k) =>
            writeObstacle(each.state, clockOf(each, then)) === undefined ? [k] : [],
          )
          assert.ok(may.length <= 1, `${may} lead at ${then}`)
          for (const k of may) leaders.add(k)
        }
        now += wait
      }
      if (leaders.size > 0) led++
      if (leaders.size > 1) takenOver++
    }),
    { numRuns: 1500 },
  )
  assert.ok(led > 300, `somebody led in ${led} runs`)
  assert.ok(takenOver > 50, `leadership moved in ${takenOver} runs`)
})
