import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { addressSet } from '../src/check/dns/addresses.ts'
import { openDns, questionRate } from '../src/check/dns/ask.ts'
import { dueHosts, type HostMemory, remember } from '../src/check/dns/memory.ts'
import { checkRound } from '../src/check/dns/round.ts'
import type { Rate } from '../src/time/bucket.ts'
import { systemClock } from '../src/time/clock.ts'
import { createPace } from '../src/time/pace.ts'
import { daemonTurn } from './daemon-checks.ts'
import { type Bench, collectGarbage, ensure, type Figure, timed } from './measure.ts'

const HOSTS = 30_000
const PACED_SECONDS = 5

/** A round of DNS checks over a whole fleet: what it costs, and whether the resolver is spared. */
export const checkBench: Bench = {
  name: 'check',
  async run() {
    const child = fork(join(import.meta.dirname, 'check-responder.ts'))
    try {
      const [address] = (await once(child, 'message')) as [string]
      const asked = async (): Promise<number> => {
        child.send('count')
        return ((await once(child, 'message')) as [number])[0]
      }
      return [...(await wholeFleet(address)), ...(await paced(address, asked)), ...(await daemonTurn(address))]
    } finally {
      child.kill()
    }
  },
}

/** As fast as it goes, since a paced round takes the better part of an hour. */
async function wholeFleet(address: string): Promise<Figure[]> {
  const hosts = Array.from({ length: HOSTS }, (_, index) => `shop${index}.customer${index % 9000}.example`)
  const memory = new Map<string, HostMemory>()
  collectGarbage()
  const before = process.memoryUsage()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await round(address, hosts, memory, { qps: 1e6, burst: 1000 })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const peak = process.memoryUsage().rss
  ensure(memory.size === HOSTS, `${memory.size} verdicts`)
  ensure(
    [...memory.values()].every(({ shown }) => shown.state === 'Ready'),
    'not all are right',
  )
  collectGarbage()
  const kept = process.memoryUsage().heapUsed - before.heapUsed
  const now = Date.now()
  const choosing = timed(() => void dueHosts(hosts, memory, now))
  return [
    {
      name: '30,000 hosts, CPU',
      measured: (user + system) / 1e6,
      unit: 's',
      goal: 15,
      note: `${seconds.toFixed(1)} s at full speed`,
    },
    { name: '30,000 hosts, CPU a question', measured: (user + system) / (2 * HOSTS), unit: 'µs' },
    { name: '30,000 hosts, kept', measured: kept / 1e6, unit: 'MB', goal: 20 },
    { name: '30,000 hosts, growth of the process', measured: (peak - before.rss) / 1e6, unit: 'MB', goal: 100 },
    { name: '30,000 hosts, choosing those that are due', measured: choosing, unit: 'ms', goal: 50 },
  ]
}

const PACED = questionRate(20)

async function paced(address: string, asked: () => Promise<number>): Promise<Figure[]> {
  const before = await asked()
  const hosts = Array.from({ length: 1000 }, (_, index) => `h${index}.example`)
  const stop = AbortSignal.timeout(PACED_SECONDS * 1000)
  await round(address, hosts, new Map(), PACED, stop).catch((error: unknown) => {
    if (!stop.aborted) throw error
  })
  const rate = ((await asked()) - before - PACED.burst) / PACED_SECONDS
  ensure(rate > PACED.qps / 2, `${rate} questions a second: too few`)
  return [{ name: `questions a second, ${PACED.qps} allowed`, measured: rate, unit: '/s', goal: PACED.qps + 0.5 }]
}

async function round(
  address: string,
  hosts: readonly string[],
  memory: Map<string, HostMemory>,
  rate: Rate,
  signal = new AbortController().signal,
): Promise<void> {
  const expected = addressSet(['192.0.2.10'])
  const dns = openDns({ servers: [address], pace: createPace(rate, systemClock), signal })
  const checking = checkRound(
    hosts.map((host) => ({ host, expected })),
    {
      dns,
      concurrency: 16,
      controls: [],
      suspicious: false,
      onVerdict: ({ host }, verdict) => memory.set(host, remember(memory.get(host), host, verdict, Date.now())),
    },
  )
  await checking.finally(() => dns.close())
}
