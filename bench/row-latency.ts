import { setTimeout as pause } from 'node:timers/promises'
import { databaseServer } from '../test/source/wordpress/database-server.ts'
import { SMALL } from '../test/source/wordpress/network.ts'
import { appYaml, createFolder, NAMESPACE } from './folder.ts'
import { type Bench, ensure, percentile } from './measure.ts'
import { build, PROGRAMS, start, startSimulatorProcess, until } from './process.ts'

const ROWS = 30
const POLL_MS = 1_000

/** From a committed row to the arrival of the POST, on an idle daemon in its own process and a real MariaDB. */
export const rowLatencyBench: Bench = {
  name: 'row-latency',
  async run() {
    await build()
    const cleanups: (() => Promise<void>)[] = []
    const server = await databaseServer({
      after: (work) => void cleanups.push(work),
      skip: (why) => void process.stderr.write(`row-latency skipped: ${why}\n`),
    })
    if (server === undefined) return []
    try {
      const database = await server.database()
      await database.sql(SMALL)
      const simulator = await startSimulatorProcess({ network: ['network.example'] }, { latency: 20 })
      cleanups.push(() => simulator.stop())
      const folder = await createFolder()
      cleanups.push(() => folder.remove())
      const wordpress = { connectionSecretRef: { name: 'db' }, pollInterval: `${POLL_MS}ms` }
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: NAMESPACE } }
      const text = JSON.stringify({ ...secret, stringData: { url: database.url() } })
      await folder.write('app.yaml', appYaml('network', simulator.apps[0] ?? '', { wordpress }), text)
      const paths = ['--manifests', folder.manifests, '--state-dir', folder.state, '--listen', 'off']
      const daemon = start([PROGRAMS.bundle, 'run', ...paths, ...simulator.flags], simulator.env)
      cleanups.push(() => daemon.stop())
      const listed = () => simulator.domains(simulator.apps[0] ?? '')
      await until('the first rows are there', async () => (await listed()).length === 3)
      const times: number[] = []
      for (let row = 0; row < ROWS; row++) {
        const seen = (await simulator.calls()).at(-1)?.seq ?? 0
        const committed = Date.now()
        await database.sql(
          `INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES (2, 'h${row}.example.com', 'done')`,
        )
        const post = await until('the POST arrives', async () =>
          (await simulator.calls(seen)).find((call) => call.endpoint === 'postDomains'),
        )
        times.push(post.time - committed)
        // Uneven pauses, or each row would meet the same moment of the poll.
        await pause(300 + Math.random() * 1_000)
      }
      ensure((await listed()).length === 3 + ROWS, 'hosts are missing')
      const common = { unit: 'ms', yardstick: POLL_MS, note: `${ROWS} rows; yardstick: pollInterval` }
      return [
        { ...common, name: 'committed row to POST: p50', measured: percentile(times, 0.5) },
        { ...common, name: 'committed row to POST: p95', measured: percentile(times, 0.95), goal: POLL_MS + 500 },
      ]
    } finally {
      for (const clean of cleanups.splice(0).reverse()) await clean()
    }
  },
}
