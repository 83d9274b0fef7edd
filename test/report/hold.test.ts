import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, test } from 'node:test'
import type { App } from '../../src/api/objects.ts'
import { startHttp } from '../../src/report/http.ts'
import { createMetrics } from '../../src/report/metrics.ts'
import type { HostChecks } from '../../src/status/host-checks.ts'
import { outcomeOf } from '../../src/status/outcome.ts'
import type { Status } from '../../src/status/status.ts'
import { longestHold } from '../time/longest-hold.ts'
import { bigStatus } from './big-status.ts'

const checks = { uncovered: () => 0, failing: () => 0 } as HostChecks
let status: Status = bigStatus(1, 1)
let metrics = createMetrics({ version: '0.1.0' })
const well = () => ({ ok: true, message: 'ok' })
const server = await startHttp({
  ...{ host: '127.0.0.1', port: 0, status: () => status, live: well, ready: well },
  metrics: { text: (turn) => metrics.text(turn), contentType: metrics.contentType },
})
after(() => server.stop())

/** What stands at a path, as it came. */
async function fetched(path: string): Promise<Buffer[]> {
  const parts: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const request = get(`${server.url}${path}`, (answer) => {
      answer.on('data', (part: Buffer) => parts.push(part)).on('end', resolve)
    })
    request.on('error', reject)
  })
  return parts
}

for (const [apps, hosts] of [
  [100, 300],
  [1_000, 30],
] as const) {
  for (const trouble of [false, true]) {
    const title = `${apps} apps of ${hosts} hosts${trouble ? ' in trouble' : ''}`
    test(`the-event-loop-is-not-held (page): ${title}`, async (t) => {
      status = bigStatus(apps, hosts, trouble)
      metrics = createMetrics({ version: '0.1.0' })
      for (const one of status.apps) {
        const outcome = outcomeOf({ key: one.key, startedAt: 1 })
        metrics.reconciled({ app: { key: one.key } as App, outcome, checks, status: one, mappings: [] })
      }
      const app = encodeURIComponent(status.apps[0]?.key ?? '')
      const paths = ['/status.json', '/', '/?q=host-1', `/?app=${app}`, '/?reason=Rejected&page=99', '/metrics']
      for (const path of paths) {
        const { result, hold } = await longestHold(() => fetched(path))
        const length = result.reduce((sum, part) => sum + part.length, 0)
        t.diagnostic(`${path}: ${(length / 2 ** 20).toFixed(1)} MiB, longest hold ${Math.round(hold)} ms`)
        assert.ok(hold < 100, `${path} held the loop for ${hold} ms`)
      }
    })
  }
}

test('what is served in pieces is what was made at one go', async () => {
  status = bigStatus(40, 30, true)
  const text = async (path: string) => String(Buffer.concat(await fetched(path)))
  assert.equal(await text('/status.json'), `${JSON.stringify(status)}\n`)
  status = { ...status, apps: [], mappings: [] }
  assert.equal(await text('/status.json'), `${JSON.stringify(status)}\n`)
})
