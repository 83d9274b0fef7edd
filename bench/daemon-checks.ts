import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openDns, questionRate } from '../src/check/dns/ask.ts'
import { createChecks } from '../src/controller/checks/checks.ts'
import { type Context, createContext } from '../src/controller/context/context.ts'
import { quiet } from '../src/log/quiet.ts'
import type { ServerPilot } from '../src/serverpilot/serverpilot.ts'
import type { ObjectSource } from '../src/source/source.ts'
import { systemClock } from '../src/time/clock.ts'
import { createPace } from '../src/time/pace.ts'
import { app, mappings, record } from '../test/plan/fixture.ts'
import { collectGarbage, ensure, type Figure } from './measure.ts'

const APPS = 100
const HOSTS = 300
/** Fast enough to end soon, slow enough that the loop is free in between as it is with any real rate. */
const QPS = 2_000

/** A daemon's turn over a whole fleet: what its looks do to whatever else wants the event loop. */
export async function daemonTurn(address: string): Promise<Figure[]> {
  const context = await fleet()
  const pace = createPace(questionRate(QPS), systemClock)
  let told = 0
  const checks = createChecks({
    context,
    schedule: '0 0 1 1 *',
    served: false,
    resolver: (signal) => openDns({ servers: [address], pace, signal }),
    shake: async () => ({ kind: 'unseen', why: 'Timeout' }),
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
  const known = context.ports.objects.apps().map(({ key }) => context.memory.checks.of(key).facts.dns.size)
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
async function fleet(): Promise<Context> {
  const names = new Map(
    Array.from({ length: APPS }, (_, index) => [
      `app${index}`,
      Array.from({ length: HOSTS }, (_, host) => `shop${host}.customer${index}.example`),
    ]),
  )
  const apps = [...names.keys()].map((name) => app({ appId: name }, name))
  const account = {
    account: 'cid',
    getServer: async () => ({ id: 's', name: 's', plan: 'coach', lastAddress: '192.0.2.10' }),
  } as unknown as ServerPilot
  const declared = new Map([...names].map(([name, hosts]) => [name, mappings(hosts)]))
  const objects = { apps: () => apps, app: (key: string) => apps.find((each) => each.key === key) }
  const context = createContext(
    {
      objects: objects as unknown as ObjectSource,
      mappingSources: [
        { name: 'manifests', mappingsOf: ({ name }) => ({ source: 'manifests', mappings: declared.get(name) ?? [] }) },
      ],
      accountOf: async () => account,
      records: {
        load: async (_, appId) => ({
          record: record(names.get(appId) ?? [], { lastSeen: names.get(appId) as never }),
          token: '',
        }),
        save: async () => '',
      },
      clock: { ...systemClock, sleep: async () => undefined },
      namespaceLabels: () => undefined,
      assertMayWrite: () => undefined,
    },
    { dryRun: false, oneShot: false, approval: undefined, writer: { version: '0', filters: '' } },
  )
  const { memory } = context
  await memory.accounts.findAll()
  for (const each of apps) {
    await memory.records.load(each, 'cid')
    memory.desires.of(each, 'cid')
    const observed = { id: each.spec.appId, name: each.name, serverId: 's', domains: [], ssl: null }
    memory.checks.see({ ...each, spec: { ...each.spec, ssl: { ...each.spec.ssl, auto: false } } }, { observed }, 0)
  }
  return context
}
