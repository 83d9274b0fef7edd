import { get } from 'node:http'
import { startHttp } from '../src/report/http.ts'
import { createMetrics } from '../src/report/metrics.ts'
import { assemble, viewOf } from '../src/report/page-view.ts'
import { createPageViews } from '../src/report/page-views.ts'
import type { Status } from '../src/status/status.ts'
import { systemClock } from '../src/time/clock.ts'
import { fleet } from '../test/report/situations.ts'
import { type Bench, collectGarbage, ensure, type Figure, median, percentile, timed } from './measure.ts'

const APPS = 300
const HOSTS = 100
const NAME = `${APPS} apps, ${(APPS * HOSTS).toLocaleString('en')} hosts`

/** The status page of a large fleet: how long until its first byte, and what it costs to prepare it. */
export const pageBench: Bench = {
  name: 'page',
  async run() {
    const status = fleet(true, APPS, HOSTS)
    return [...(await firstBytes(status)), ...(await preparing(status))]
  },
}

const PATHS = [
  '/',
  '/?page=600',
  '/?state=wait',
  '/?reason=ApiUnreachable',
  '/?q=shop-7.customer-29',
  '/?app=team-07%2Fnetwork-007',
]

async function firstBytes(status: Status): Promise<Figure[]> {
  const well = () => ({ ok: true, message: 'ok' })
  const server = await startHttp({
    ...{ host: '127.0.0.1', port: 0, status: () => status, changes: () => 1, live: well, ready: well },
    metrics: createMetrics({ version: '0.1.0', process: false }),
  })
  try {
    await firstByte(server.url)
    const pages: number[] = []
    const health: number[] = []
    for (let round = 0; round < 20; round++) {
      for (const path of PATHS) pages.push(await firstByte(server.url + path))
      health.push(await firstByte(`${server.url}/healthz`))
    }
    const note = 'of /healthz'
    return [
      { name: `${NAME}: first byte`, measured: median(pages), unit: 'ms', goal: 50, yardstick: median(health), note },
      { name: `${NAME}: first byte, 99th percentile`, measured: percentile(pages, 0.99), unit: 'ms', goal: 50 },
    ]
  } finally {
    await server.stop()
  }
}

/** Milliseconds from the request to the first byte of the answer's body. */
function firstByte(url: string): Promise<number> {
  const from = performance.now()
  return new Promise((resolve, reject) => {
    get(url, (answer) => {
      ensure(answer.statusCode === 200, `${url}: ${answer.statusCode}`)
      answer.once('data', () => resolve(performance.now() - from)).resume()
    }).on('error', reject)
  })
}

async function preparing(status: Status): Promise<Figure[]> {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const view = viewOf(status)
  collectGarbage()
  const kept = process.memoryUsage().heapUsed - before
  const whole = Array.from({ length: 5 }, () => timed(() => void viewOf(status)))
  const names = Array.from({ length: 5 }, () =>
    timed(() => void status.apps.flatMap(({ hosts }) => hosts.map(({ name }) => name)).sort()),
  )
  const again = await oneChanged(status)
  ensure(assemble(status, view.parts).counts.ok.hosts === APPS * HOSTS, 'not all hosts are well')
  return [
    {
      ...{ name: `${NAME}: prepared from nothing`, measured: median(whole), unit: 'ms', yardstick: median(names) },
      note: 'of sorting their names',
    },
    { name: `${NAME}: prepared after one app changed`, measured: again, unit: 'ms', goal: 50 },
    { name: `${NAME}: kept`, measured: kept / 1e6, unit: 'MB', goal: 20 },
  ]
}

async function oneChanged(status: Status): Promise<number> {
  const state = { status, changes: 0 }
  const views = createPageViews({ status: () => state.status, changes: () => state.changes }, systemClock)
  await views.current()
  const times: number[] = []
  for (let change = 0; change < 10; change++) {
    state.changes++
    state.status = { ...status, apps: status.apps.map((app, at) => (at === change ? { ...app } : app)) }
    const from = performance.now()
    await views.current()
    times.push(performance.now() - from)
  }
  return median(times)
}
