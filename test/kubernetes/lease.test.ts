import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseApi } from '../../src/kubernetes/api.ts'
import { createLeaseApi } from '../../src/kubernetes/client-apis.ts'
import { createElector, type Elector, leaseName, NotLeadingError } from '../../src/kubernetes/lease.ts'
import { LEASE_TIMINGS } from '../../src/kubernetes/lease-state.ts'
import { systemClock } from '../../src/time/clock.ts'
import { apiServer, until } from './api-server.ts'

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

function elector(api: LeaseApi, identity: string): Elector {
  return createElector({ api, identity, clock: systemClock, log })
}

/** The same Lease behind a connection that can be cut. */
function severable(api: LeaseApi) {
  let cut = false
  const through = <Result>(call: () => Promise<Result>): Promise<Result> =>
    cut ? new Promise<never>(() => undefined) : call()
  const severed: LeaseApi = {
    name: api.name,
    read: () => through(() => api.read()),
    create: (write) => through(() => api.create(write)),
    replace: (write, base) => through(() => api.replace(write, base)),
    watch: (noticed, signal) => through(() => api.watch((record) => cut || noticed(record), signal)),
  }
  return {
    api: severed,
    cut() {
      cut = true
    },
  }
}

test('one Lease per shard, with a name that Kubernetes takes', () => {
  assert.equal(leaseName(''), 'domainpilot')
  const names = ['team=a', 'team=A', 'team in (a, b)', '!x', 'ü'.repeat(300)].map(leaseName)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
})

describe('on a real API server', { timeout: 120_000 }, () => {
  test('election', async (t) => {
    const server = await apiServer(t)
    if (server === undefined) return
    const namespace = await server.namespace('lease')
    const leaseOf = (name: string) => createLeaseApi(server.admin, namespace, name)

    await t.test('a clean release hands over within 3 s, with a higher epoch', async (t) => {
      const api = leaseOf('clean')
      const [a, b] = [elector(api, 'a'), elector(api, 'b')]
      t.after(() => b.stop())
      assert.throws(() => a.assertLeading(), NotLeadingError)
      a.start()
      await until('a leads', () => a.isLeading())
      b.start()
      await until('b knows', () => b.holder() === 'a')
      await sleep(3000)
      a.assertLeading()
      assert.equal(b.isLeading(), false)
      const start = performance.now()
      const stopped = a.stop()
      assert.throws(() => a.assertLeading(), /given back/)
      await stopped
      await until('b leads', () => b.isLeading())
      const took = performance.now() - start
      t.diagnostic(`takeover after a clean release: ${Math.round(took)} ms`)
      assert.ok(took < 3000, `${took} ms`)
      assert.equal(b.epoch(), (a.epoch() as number) + 1)
    })

    await t.test(
      'after silence it takes less than the duration and 5 s; who fell silent has lost before',
      async (t) => {
        const api = leaseOf('silent')
        const line = severable(api)
        const [a, b] = [elector(line.api, 'a'), elector(api, 'b')]
        t.after(() => b.stop())
        a.start()
        await until('a leads', () => a.isLeading())
        b.start()
        await until('b knows', () => b.holder() === 'a')
        let aLostAt = 0
        void a.lost.then(() => {
          aLostAt = performance.now()
        })
        const start = performance.now()
        line.cut()
        await until(
          'b leads',
          () => {
            assert.ok(!(a.isLeading() && b.isLeading()), 'both lead')
            return b.isLeading()
          },
          21_000,
        )
        const took = performance.now() - start
        t.diagnostic(`takeover after silence: ${Math.round(took)} ms; lost after ${Math.round(aLostAt - start)} ms`)
        assert.ok(took < 20_000, `${took} ms`)
        assert.ok(aLostAt > 0 && aLostAt - start < 11_000, 'a has told before')
        assert.match(await a.lost, /did not answer/)
        assert.throws(() => a.assertLeading(), /lost/)
      },
    )

    await t.test('of three that start at once one leads', async (t) => {
      const api = leaseOf('crowd')
      const all = ['a', 'b', 'c'].map((name) => elector(api, name))
      t.after(async () => {
        for (const each of all) await each.stop()
      })
      for (const each of all) each.start()
      await until('one leads', () => all.some((each) => each.isLeading()))
      await sleep(2500)
      assert.equal(all.filter((each) => each.isLeading()).length, 1)
    })

    await t.test('a standby is told of the Lease between its looks', async (t) => {
      const api = leaseOf('watched')
      const timings = { ...LEASE_TIMINGS, retryPeriod: 60_000 }
      const b = createElector({ api, identity: 'b', clock: systemClock, log, timings })
      t.after(() => b.stop())
      const term = { durationSeconds: 15, acquiredAt: Date.now(), renewedAt: Date.now(), transitions: 1 }
      const held = await api.create({ ...term, holder: 'a' })
      b.start()
      await until('b knows', () => b.holder() === 'a')
      await api.replace({ ...term, holder: 'c', transitions: 2 }, held)
      await until('b knows of the other', () => b.holder() === 'c', 5_000)
    })

    await t.test('who is not ready looks on and does not take the Lease', async (t) => {
      const api = leaseOf('unready')
      const ready = Promise.withResolvers<void>()
      const a = elector(api, 'a')
      t.after(() => a.stop())
      const held = await api.create({ holder: '', durationSeconds: 1, acquiredAt: 0, renewedAt: 0, transitions: 1 })
      a.start(ready.promise)
      await sleep(3000)
      assert.equal((await api.read())?.resourceVersion, held.resourceVersion)
      ready.resolve()
      await until('a leads', () => a.isLeading(), 1_500)
    })

    await t.test('labels that somebody put on the Lease stay, and its holder goes on', async (t) => {
      const api = leaseOf('labelled')
      const a = elector(api, 'a')
      t.after(() => a.stop())
      a.start()
      await until('a leads', () => a.isLeading())
      const lease = await server.admin.coordination.readNamespacedLease({ namespace, name: 'labelled' })
      lease.metadata = { ...lease.metadata, labels: { mine: 'yes' } }
      await server.admin.coordination.replaceNamespacedLease({ namespace, name: 'labelled', body: lease })
      const before = (await api.read())?.record.renewTime
      await until('it is renewed', async () => (await api.read())?.record.renewTime !== before)
      assert.equal((await api.read())?.labels.mine, 'yes')
      a.assertLeading()
    })
  })
})
