import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClusterWorld, cpuOf, quietWrites, startClusterWorld } from './cluster-world.ts'
import { quietCalls } from './daemon.ts'
import { names } from './folder.ts'
import { type Bench, ensure, type Figure, percentile } from './measure.ts'
import { build, memoryOf, type Running, until } from './process.ts'

const BIG = names(Number(process.env.BENCH_APPS ?? 100), 'app')
/** One host of each app is somebody else's. */
const HOSTS = 299
/** Apps with room left. */
const SMALL = names(20, 'small')
const SAVES = 30
/** One sweep of the default schedule falls into it. */
const IDLE_MS = 60_000
const OUTAGE_MS = 20_000
const LEASE_MS = 15_000

/** A daemon on a real API server: much at once, little at once, an outage, a change of leader. */
export const clusterBench: Bench = {
  name: 'cluster',
  async run() {
    const figures: Figure[] = []
    const world = await startClusterWorld([...BIG, ...SMALL])
    if (world === undefined) return figures
    try {
      await build()
      for (const app of BIG) await world.map(app, names(HOSTS))
      const title = `${(BIG.length * HOSTS).toLocaleString('en')} mappings on ${BIG.length} apps`
      const daemon = await converge(world, title, figures)
      await idle(world, daemon, title, figures)
      await applyToPost(world, figures)
      await manyAtOnce(world, figures)
      const { leader, figure } = await outage(world, daemon, SMALL[0] ?? '')
      figures.push({ ...figure, name: `${title}: ${figure.name}` })
      await takeovers(world, leader, figures)
      figures.push(await outageOfFew())
      return figures
    } catch (error) {
      // It took minutes: what was measured before it broke is worth having.
      process.stderr.write(`${JSON.stringify(figures)}\n`)
      throw error
    } finally {
      await world.stop()
    }
  },
}

async function converge(world: ClusterWorld, title: string, figures: Figure[]): Promise<Running> {
  const from = Date.now()
  const daemon = world.daemon()
  const written = async (): Promise<boolean> => {
    const { counts } = (await world.simulator.control('GET', 'counts')) as { counts: Record<string, number> }
    return (counts.postDomains ?? 0) >= BIG.length
  }
  await until('every app is written', written, { ms: 300_000, every: 100 })
  const lastPost = (await world.simulator.calls()).findLast((call) => call.endpoint === 'postDomains')
  const lastStatus = await quietWrites(world, 5_000, 900_000)
  const { pid } = daemon.child
  for (const id of world.simulator.apps.slice(0, BIG.length))
    ensure((await world.simulator.domains(id)).length === HOSTS + 1, `${id} lacks hosts`)
  await pause(10_000)
  figures.push(
    { name: `${title}: start to the last POST`, measured: ((lastPost?.time ?? 0) - from) / 1000, unit: 's' },
    { name: `${title}: start to the last status`, measured: (lastStatus - from) / 1000, unit: 's' },
    { name: `${title}: resident after it`, measured: await memoryOf(pid, 'VmRSS'), unit: 'MiB', goal: 200 },
    { name: `${title}: resident at the peak`, measured: await memoryOf(pid, 'VmHWM'), unit: 'MiB' },
    { name: `${title}: CPU until then`, measured: await cpuOf(pid), unit: 's' },
  )
  return daemon
}

async function idle(world: ClusterWorld, { child }: Running, title: string, figures: Figure[]): Promise<void> {
  const [cpu, before] = [await cpuOf(child.pid), (await world.calls()).length]
  await pause(IDLE_MS)
  const calls = (await world.calls()).slice(before)
  // The Lease is renewed all the time; that is not the sweep's.
  const others = calls.filter((call) => !call.includes(' leases '))
  const writes = others.filter((call) => !/^(get|list|watch) /.test(call))
  figures.push(
    {
      name: `${title}: idle CPU per minute`,
      measured: ((await cpuOf(child.pid)) - cpu) * (60_000 / IDLE_MS),
      unit: 's',
    },
    {
      name: 'writes to the API server in an idle minute with its sweep',
      measured: writes.length,
      unit: 'writes',
      goal: 0,
      note: `besides the Lease; other calls: ${others.join(', ') || 'none'}`,
    },
  )
}

async function applyToPost(world: ClusterWorld, figures: Figure[]): Promise<void> {
  const times: number[] = []
  let seen = (await world.simulator.calls()).at(-1)?.seq ?? 0
  for (let save = 0; save < SAVES; save++) {
    const app = SMALL[save % SMALL.length] ?? ''
    const saved = Date.now()
    await world.map(app, [`late${save}`])
    const post = await until('the POST arrives', async () =>
      (await world.simulator.calls(seen)).find((call) => call.endpoint === 'postDomains'),
    )
    times.push(post.time - saved)
    await pause(300 + Math.random() * 400)
    seen = (await world.simulator.calls()).at(-1)?.seq ?? seen
  }
  figures.push(
    { name: 'kubectl apply to POST: p50', measured: percentile(times, 0.5), unit: 'ms', note: `${SAVES} mappings` },
    { name: 'kubectl apply to POST: p95', measured: percentile(times, 0.95), unit: 'ms', goal: 2_000 },
  )
}

/** 50 mappings on each app with room, one app after the other, as fast as the API server takes them. */
async function manyAtOnce(world: ClusterWorld, figures: Figure[]): Promise<void> {
  const after = (await world.simulator.calls()).at(-1)?.seq ?? 0
  const from = Date.now()
  for (const app of SMALL) await world.map(app, names(50, 'burst'))
  const seconds = (Date.now() - from) / 1000
  const calls = await quietCalls(world.simulator, after, 4_000)
  figures.push({
    name: `${SMALL.length * 50} mappings added on ${SMALL.length} apps: POSTs`,
    measured: calls.filter((call) => call.endpoint === 'postDomains').length,
    unit: 'POSTs',
    goal: SMALL.length,
    note: `added within ${seconds.toFixed(1)} s`,
  })
}

/**
 * The API server is killed and comes back: how long until a mapping that is made then is on its app. The leader cannot renew its
 * Lease and ends; its standby, as in every install, lives on. Gives the one that leads then. The yardstick is the API server's own:
 * with many objects it takes a while to load them, and refuses to list them meanwhile.
 */
async function outage(world: ClusterWorld, before: Running, app: string): Promise<{ leader: Running; figure: Figure }> {
  const leader = world.daemon()
  // It has read everything.
  await pause(15_000)
  const after = (await world.simulator.calls()).at(-1)?.seq ?? 0
  await world.own.kill()
  const away = pause(OUTAGE_MS)
  if (before.child.exitCode === null) await once(before.child, 'exit')
  await away
  await world.own.start()
  const back = Date.now()
  await world.map(app, ['afterwards'])
  const listed = until('the API server lists mappings', () => world.lists(), { ms: 60_000 }).then(() => Date.now())
  const post = await until('the POST arrives', async () =>
    (await world.simulator.calls(after)).find((call) => call.endpoint === 'postDomains'),
  )
  const figure = {
    name: 'API server back after 20 s: its return to the POST',
    measured: (post.time - back) / 1000,
    unit: 's',
    yardstick: ((await listed) - back) / 1000,
    note: 'yardstick: until the API server itself lists mappings',
  }
  return { leader, figure }
}

/** The same with an app and a mapping. */
async function outageOfFew(): Promise<Figure> {
  const world = await startClusterWorld(['alone'])
  ensure(world !== undefined, 'there is no API server')
  try {
    await world.map('alone', ['first'])
    const daemon = world.daemon()
    await pause(5_000)
    const { figure } = await outage(world, daemon, 'alone')
    return { ...figure, goal: 10 }
  } finally {
    await world.stop()
  }
}

/** Leaders go, in good order and killed: how long until another holds the Lease. */
async function takeovers(world: ClusterWorld, first: Running, figures: Figure[]): Promise<void> {
  const holder = async (): Promise<string | undefined> => {
    const lease = await world.server.admin.coordination.readNamespacedLease({
      namespace: 'domainpilot',
      name: 'domainpilot',
    })
    return lease.spec?.holderIdentity
  }
  let leader = first
  for (const { signal, goal, title } of [
    { signal: 'SIGTERM', goal: 3, title: 'a clean stop' },
    { signal: 'SIGKILL', goal: LEASE_MS / 1000 + 5, title: 'kill -9' },
  ] as const) {
    const old = await until('somebody leads', holder)
    const next = world.daemon()
    // It has read everything, as a standby has.
    await pause(15_000)
    const from = Date.now()
    leader.child.kill(signal)
    await until('another leads', async () => {
      const now = await holder()
      return now !== undefined && now !== '' && now !== old
    })
    figures.push({ name: `takeover after ${title}`, measured: (Date.now() - from) / 1000, unit: 's', goal })
    leader = next
  }
}
