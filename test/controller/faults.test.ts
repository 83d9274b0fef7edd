import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { FAULT_KINDS, type FaultKind, type FaultRule } from '../../src/simulator/faults.ts'
import {
  assertHealed,
  createDisturbedWorld,
  type DisturbedWorld,
  EXPECTED,
  FOREIGN,
  OWNED,
  TIMEOUT_MS,
} from '../e2e/disturbed-world.ts'
import { until } from '../until.ts'
import { sweepOnce } from './world.ts'

/** Calls that a sweep and a reconcile make, with the numbers of their occurrences that are spoiled one by one. */
const CALLS = { listApps: [0, 1], getApp: [0, 1, 2, 3, 4], postDomains: [0, 1], postSsl: [0], getAction: [0] } as const
type Call = keyof typeof CALLS

/** When an effect comes that nobody waits for any more; real ms. */
const LATE_MS = TIMEOUT_MS + 100
/** What another writer does: one host of its own, one of others, one of ours. */
const OTHERS = { add: ['panel.example.org'], remove: ['foreign003.example.org', 'h007.example.com'] }
/** What such a writer loses in exactly the gap between our GET and our POST, since ServerPilot has no compare-and-swap. */
const LOSABLE = ['panel.example.org', 'foreign003.example.org']

/** Kinds whose answer is a lie that can be believed: here every read of a write matters. The others fail, and a failure is a failure. */
const LIES: ReadonlySet<FaultKind> = new Set(['stale', 'empty', 'otherWriter', 'droppedWrite'])

/** The forms of a kind that differ in what the client gets to see. */
function formsOf(kind: FaultKind, call: Call): FaultRule[] {
  switch (kind) {
    case 'status':
      return (call === 'postDomains' ? [400, 401, 402, 403, 404, 409, 500, 503] : [400, 401, 404, 500]).map(
        (status) => ({ kind, status }),
      )
    case 'statusAfter':
      return [400, 401, 500].map((status) => ({ kind, status }))
    case 'empty':
      return (['domains', 'missing', 'wrongType', 'halved', 'null', 'list', 'body'] as const).map((variant) => ({
        kind,
        variant,
      }))
    case 'timeoutLate':
    case 'slow':
      return [{ kind, ms: LATE_MS }]
    case 'rateLimited':
      return [
        { kind, retryAfter: null },
        { kind, retryAfter: 2 },
      ]
    case 'otherWriter':
      return (['before', 'after'] as const).map((moment) => ({ kind, moment, ...OTHERS }))
    default:
      return [{ kind }]
  }
}

/** Kinds that mean something for this call. */
function applies(kind: FaultKind, call: Call): boolean {
  const write = call === 'postDomains' || call === 'postSsl'
  if (kind === 'droppedWrite' || kind === 'actionError' || kind === 'actionStuck') return write
  return call !== 'getAction' || !LIES.has(kind)
}

/** How many calls in a row go wrong. A client tries a read three times: one fault is hidden from us, three are not. */
function timesOf(kind: FaultKind, call: Call): number[] {
  if (call !== 'listApps' && call !== 'getApp') return [1]
  return kind === 'otherWriter' ? [1] : LIES.has(kind) ? [1, 3] : [3]
}

/** Every cell of the matrix. */
function cells(): FaultRule[] {
  const pairs = FAULT_KINDS.flatMap((kind) => (Object.keys(CALLS) as Call[]).map((path) => ({ kind, path })))
  return pairs
    .filter(({ kind, path }) => applies(kind, path))
    .flatMap(({ kind, path }) => {
      const occurrences = LIES.has(kind) ? CALLS[path] : CALLS[path].slice(0, 2)
      return formsOf(kind, path).flatMap((form) =>
        occurrences.flatMap((after) => timesOf(kind, path).map((times) => ({ ...form, path, after, times }))),
      )
    })
}

function nameOf({ kind, path, after = 0, times, status, variant, moment, retryAfter }: FaultRule): string {
  const form = [status, variant, moment, retryAfter === undefined ? undefined : `Retry-After ${retryAfter}`]
  const said = form.filter((part) => part !== undefined).join(' ')
  return `${kind}${said === '' ? '' : ` (${said})`} at ${path} ${after + 1}${times === 1 ? '' : ', three in a row'}`
}

/** Four rounds of a daemon with the fault in them, then peace. */
async function survive(t: TestContext, rule: FaultRule): Promise<void> {
  const world = await createDisturbedWorld(t)
  await world.change()
  world.simulator.faults.add(rule)
  for (let round = 0; round < 4; round++) {
    await sweepOnce(world.context)
    await world.reconcile()
    assertForeign(world.listed(), rule)
    world.clock.advance(31_000)
  }
  assert.ok((world.simulator.faults.list()[0]?.fired ?? 0) > 0, 'the fault was never met')
  world.simulator.faults.clear()
  await until('no effect is still to come', () => world.simulator.pending() === 0, 5_000)
  if (rule.kind === 'rateLimited') await until('no pause lasts', () => answers(world), 5_000)
  world.clock.advance(300_000)
  await world.settle()
  assertHealed(world, EXPECTED, rule.kind === 'otherWriter' ? LOSABLE : [])
  assert.equal(world.simulator.state.app(world.appId).ssl?.auto, true)
  // Without a fault these are 17 calls and 2 writes.
  assert.ok(world.simulator.calls.length <= 32, `${world.simulator.calls.length} calls`)
  assert.ok(world.posts() <= 6, `${world.posts()} writes`)
  assert.ok(world.sslPosts() <= 2, `${world.sslPosts()} writes of SSL`)
}

/** Whether ServerPilot may be asked again. */
async function answers({ context, appId }: DisturbedWorld): Promise<boolean> {
  const [app] = context.ports.objects.apps()
  return app !== undefined && (await (await context.ports.accountOf(app)).getApp(appId)).id === appId
}

/** At no time is a host of others away that nobody took off. */
function assertForeign(listed: readonly string[], rule: FaultRule): void {
  const expected = FOREIGN.filter((host) => rule.kind !== 'otherWriter' || !LOSABLE.includes(host))
  const there = new Set(listed)
  assert.deepEqual(
    expected.filter((host) => !there.has(host)),
    [],
  )
}

describe('every fault at every call', { concurrency: 8 }, () => {
  for (const rule of cells()) test(nameOf(rule), (t) => survive(t, rule))
})

test('what a sweep saw is no proof: a stale list in a sweep and again before a write costs no foreign host', async (t) => {
  const world = await createDisturbedWorld(t)
  const round = async (): Promise<void> => {
    await sweepOnce(world.context)
    await world.reconcile()
  }
  world.simulator.state.setDomains(world.appId, [...world.listed(), 'panel.example.org'])
  await round()
  world.simulator.faults.add({ kind: 'stale', path: 'listApps' })
  await round()
  world.simulator.faults.add({ kind: 'stale', path: 'getApp' })
  await world.map('new1')
  await round()
  assert.deepEqual(world.listed(), [...FOREIGN, ...OWNED, 'new1.example.com', 'panel.example.org'].sort())
  assert.equal(world.posts(), 1)
})
