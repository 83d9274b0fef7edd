import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openDns } from '../src/check/dns/ask.ts'
import { createPace, type PaceClock, rateOf } from '../src/check/dns/pace.ts'
import { readRoots } from '../src/check/served-verdict.ts'
import { createChecks } from '../src/controller/checks/checks.ts'
import { type Context, createContext, memoryOf } from '../src/controller/context.ts'
import { quiet } from '../src/log/quiet.ts'
import type { ServerPilot } from '../src/serverpilot/serverpilot.ts'
import type { ObjectSource } from '../src/source/source.ts'
import { systemClock } from '../src/time/clock.ts'
import { app, desired, mappings, record } from '../test/plan/fixture.ts'
import { collectGarbage, ensure, type Figure } from './measure.ts'

const APPS = 100
const HOSTS = 300
/** Fast enough to end soon, slow enough that the loop is free in between as it is with any real rate. */
const QPS = 2_000

/** A daemon's turn over a whole fleet: what its looks do to whatever else wants the event loop. */
export async function daemonTurn(address: string, clock: PaceClock): Promise<Figure[]> {
  const context = fleet()
  const pace = createPace(rateOf(QPS), clock)
  let told = 0
  const checks = createChecks({
    context,
    schedule: '0 0 1 1 *',
    served: false,
    resolver: (signal) => openDns({ servers: [address], pace, signal }),
    roots: () => readRoots([]),
    enqueue: () => {
      told++
    },
    log: quiet,
  })
  collectGarbage()
  const cpu = process.cpuUsage()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const start = performance.now()
  await checks.turn()
  const seconds = (performance.now() - start) / 1000
  delay.disable()
  const { user, system } = process.cpuUsage(cpu)
  await checks.stop()
  const known = context.objects.apps().map(({ key }) => memoryOf(context, key).checks.facts.dns.size)
  ensure(
    known.every((size) => size === HOSTS),
    'not every host was looked at',
  )
  ensure(told >= APPS, 'not every app was told')
  const late = (share: number): number => Math.max(0, delay.percentile(share) / 1e6 - 5)
  const title = `a daemon's turn over ${(APPS * HOSTS).toLocaleString('en')} hosts`
  return [
    { name: `${title}: what else waits, 95th percentile`, measured: late(95), unit: 'ms', goal: 50 },
    { name: `${title}: what else waits, at most`, measured: late(100), unit: 'ms' },
    { name: `${title}: CPU`, measured: (user + system) / 1e6, unit: 's', note: `${seconds.toFixed(0)} s at ${QPS}/s` },
  ]
}

/** Apps as they are after their first reconcile. */
function fleet(): Context {
  const apps = Array.from({ length: APPS }, (_, index) => app({}, `app${index}`))
  const account = {
    account: 'cid',
    getServer: async () => ({ id: 's', name: 's', plan: 'coach', lastAddress: '192.0.2.10' }),
  } as unknown as ServerPilot
  const objects = { apps: () => apps, app: (key: string) => apps.find((each) => each.key === key) }
  const context = createContext(
    {
      objects: objects as unknown as ObjectSource,
      mappingSources: [],
      accountOf: async () => account,
      records: { load: async () => undefined, save: async () => '' },
      clock: { ...systemClock, sleep: async () => undefined },
      namespaceLabels: () => undefined,
      assertMayWrite: () => undefined,
    },
    { dryRun: false, oneShot: false, approval: undefined, writer: { version: '0', filters: '' } },
  )
  const byApp = new Map(
    apps.map((each, index) => {
      const names = Array.from({ length: HOSTS }, (_, host) => `shop${host}.customer${index}.example`)
      const memory = memoryOf(context, each.key)
      memory.account = 'cid'
      memory.record = record(names, { lastSeen: names as never })
      memory.seen = { serverId: 's', pem: undefined, certificate: undefined, bare: false }
      return [each.key, desired(each, mappings(names))] as const
    }),
  )
  context.desires.set('cid', { inputs: [], byApp, wantedBy: new Map(), compiled: new WeakMap() })
  return context
}
