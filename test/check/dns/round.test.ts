import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressSet } from '../../../src/check/dns/addresses.ts'
import { type Failure, openDns } from '../../../src/check/dns/ask.ts'
import type { DnsVerdict } from '../../../src/check/dns/judge.ts'
import { checkRound, type HostToCheck, type RoundOptions } from '../../../src/check/dns/round.ts'
import { createPace } from '../../../src/time/pace.ts'
import { quickDns, sleeplessClock } from './quick.ts'
import { type Query, type Reply, responder } from './responder.ts'

const EXPECTED = addressSet(['192.0.2.10'])
const hosts = (count: number, name = (index: number) => `shop.d${index}.example`) =>
  Array.from({ length: count }, (_, index) => ({ host: name(index), expected: EXPECTED }))

async function round(
  address: string,
  all: ReturnType<typeof hosts>,
  options: Partial<RoundOptions<HostToCheck>> = {},
): Promise<{ outage: Failure | undefined; verdicts: Map<string, DnsVerdict> }> {
  const verdicts = new Map<string, DnsVerdict>()
  const outage = await checkRound(all, {
    dns: quickDns(address),
    concurrency: 4,
    controls: [],
    suspicious: false,
    onVerdict: ({ host }, verdict) => verdicts.set(host, verdict),
    ...options,
  })
  return { outage, verdicts }
}

const pulses = (queries: readonly Query[]) => queries.filter(({ type }) => type === 2).length

test('every host gets a verdict', async (t) => {
  const { address, queries } = await responder(t, () => ['192.0.2.10'])
  const { outage, verdicts } = await round(address, hosts(40))
  assert.deepEqual([outage, verdicts.size], [undefined, 40])
  assert.ok([...verdicts.values()].every(({ state }) => state === 'Ready'))
  assert.equal(queries.length, 80, 'two questions for each, and no pulse')
})

test('resolver-outage-is-not-absence: all fails, and no host is blamed', async (t) => {
  for (const reply of ['ServFail', 'Refused', 'Silence'] as const) {
    const { address, queries } = await responder(t, () => reply)
    const { outage, verdicts } = await round(address, hosts(1000))
    assert.ok(outage, reply)
    assert.equal(verdicts.size, 0)
    assert.ok(queries.length < 150, `${queries.length} questions to a resolver that is down`)
  }
})

test('resolver-outage-is-not-absence: a fleet of one host', async (t) => {
  const { address } = await responder(t, () => 'ServFail')
  assert.equal((await round(address, hosts(1))).outage, 'ServerFailure')
})

test('the root is known by heart, and all else fails', async (t) => {
  const { address, queries } = await responder(t, ({ type }) => (type === 2 ? [] : 'ServFail'))
  const { outage, verdicts } = await round(address, hosts(1000))
  assert.deepEqual([outage, verdicts.size], ['ServerFailure', 0])
  assert.ok(pulses(queries) >= 1)
})

/** Fails for hosts of these domains alone. */
const broken =
  (test: (name: string) => boolean) =>
  ({ name }: Query): Reply =>
    test(name) ? 'ServFail' : ['192.0.2.10']

test('one broken zone with hundreds of hosts is no outage', async (t) => {
  const { address } = await responder(
    t,
    broken((name) => name.endsWith('.network.example')),
  )
  const all = [...hosts(300, (index) => `h${index}.network.example`), ...hosts(3)]
  const { outage, verdicts } = await round(address, all)
  assert.equal(outage, undefined)
  assert.equal([...verdicts.values()].filter(({ state }) => state === 'Unknown').length, 300)
})

test('a round of broken domains alone is no outage when others still resolve', async (t) => {
  const { address } = await responder(
    t,
    broken((name) => name.startsWith('shop.')),
  )
  const { outage, verdicts } = await round(address, hosts(20), { controls: ['fine.example'] })
  assert.deepEqual([outage, verdicts.size], [undefined, 20])
  assert.equal((await round(address, hosts(20), { controls: ['shop.gone.example'] })).outage, 'ServerFailure')
})

test('a failure in between says nothing of the resolver', async (t) => {
  let count = 0
  const { address, queries } = await responder(t, () => (count++ % 7 === 0 ? 'ServFail' : ['192.0.2.10']))
  const { outage, verdicts } = await round(address, hosts(60), { concurrency: 1 })
  assert.deepEqual([outage, verdicts.size], [undefined, 60])
  assert.equal(pulses(queries), 0)
})

test('after an outage the pulse comes first', async (t) => {
  const { address, queries } = await responder(t, () => 'ServFail')
  assert.equal((await round(address, hosts(50), { suspicious: true })).outage, 'ServerFailure')
  assert.ok(queries.every(({ type }) => type === 2))
})

test('a verdict that cannot be taken ends the round', async (t) => {
  const { address, queries } = await responder(t, () => [])
  let taken = 0
  const onVerdict = () => {
    if (++taken === 3) throw new Error('no room')
  }
  await assert.rejects(round(address, hosts(500), { onVerdict }), /no room/)
  // What was under way comes to its end; nothing is handed out any more.
  await round(address, hosts(20))
  assert.equal(taken, 3)
  assert.ok(queries.length < 100, String(queries.length))
})

test('the pace bounds the questions of a round', async (t) => {
  const { address, queries } = await responder(t, () => ['192.0.2.10'])
  const clock = sleeplessClock()
  const [start, at] = [clock.now(), [] as number[]]
  const pace = createPace({ qps: 20, burst: 10 }, clock)
  const signal = new AbortController().signal
  const dns = openDns({
    servers: [address],
    signal,
    pace: {
      async take(given) {
        await pace.take(given)
        at.push(clock.now() - start)
      },
    },
  })
  await round(address, hosts(200), { dns, concurrency: 16 })
  assert.equal(queries.length, 400)
  for (let from = 0; from < at.length; from++) {
    const within = at.filter((time) => time >= (at[from] ?? 0) && time < (at[from] ?? 0) + 1000).length
    assert.ok(within <= 30, `${within} in the second after ${at[from]} ms`)
  }
  assert.ok(clock.now() - start >= 19_000, 'not faster')
  assert.ok(clock.now() - start <= 20_500, 'nor slower')
})
