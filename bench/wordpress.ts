import { setTimeout as pause } from 'node:timers/promises'
import type { App, AppSpec } from '../src/api/objects.ts'
import { appDefaults } from '../src/api/schema.ts'
import { connect, type Database, LIMITS } from '../src/source/wordpress/connection.ts'
import { parseDatabaseUrl } from '../src/source/wordpress/database-url.ts'
import { type DatabaseRead, type Known, readDatabase } from '../src/source/wordpress/snapshot.ts'
import { advance, type State, unread } from '../src/source/wordpress/state.ts'
import { systemClock } from '../src/time/clock.ts'
import { databaseServer } from '../test/source/wordpress/database-server.ts'
import { coreTables, ultimateTable, wwwSettings } from '../test/source/wordpress/network.ts'
import { type Bench, collectGarbage, ensure, median } from './measure.ts'

const SITES = 10_000
const ROWS = 30_000
const TIMES = 7
const SETTLED_MS = 3_000

/** A network of 10,000 sites with 30,000 mapped domains: what a whole read and an idle poll cost, us and the server. */
export const wordpressBench: Bench = {
  name: 'wordpress',
  async run() {
    const ends: (() => Promise<void>)[] = []
    let skipped: string | undefined
    const server = await databaseServer(
      {
        after: (end) => void ends.push(end),
        skip: (message) => {
          skipped = message
        },
      },
      'mariadb',
    )
    if (server === undefined) throw new Error(skipped)
    try {
      const database = await server.database()
      await database.sql(network())
      return await figures(database.url())
    } finally {
      for (const end of ends) await end()
    }
  },
}

async function figures(url: string) {
  const endpoint = parseDatabaseUrl(url, 'bench')
  const app = appWithDatabase()
  let reads = 0

  async function once(known?: Known): Promise<{ found: DatabaseRead; ms: number }> {
    const from = performance.now()
    const database = await connect(endpoint, {
      clock: systemClock,
      limits: LIMITS,
      signal: new AbortController().signal,
    })
    const found = await readDatabase(
      database,
      { prefix: 'wp_', mappings: 'Auto', statementMs: LIMITS.statement },
      known,
    )
    const ms = performance.now() - from
    reads = await rowsExamined(database)
    await database.close()
    return { found, ms }
  }

  let state: State = unread(app)
  const whole: number[] = []
  const compiling: number[] = []
  collectGarbage()
  const heap = process.memoryUsage().heapUsed
  for (let count = 0; count < TIMES; count++) {
    const { found, ms } = await once()
    const from = performance.now()
    state = advance(state, app, found, 0, 'bench')
    compiling.push(performance.now() - from)
    whole.push(ms)
  }
  const examinedWhole = reads
  ensure(state.served.mappings.length === ROWS && state.served.failure === undefined, 'not every row was read')
  collectGarbage()
  const kept = (process.memoryUsage().heapUsed - heap) / 2 ** 20

  // The first look after a whole read reads the rows once more; later ones need not, once the last change lies back.
  await pause(SETTLED_MS)
  const first = await once(state.known)
  ensure(first.found.kind === 'same', 'the first idle poll saw a change')
  let known: Known = first.found.known
  const idle: number[] = []
  for (let count = 0; count < TIMES; count++) {
    const { found, ms } = await once(known)
    ensure(found.kind === 'same', 'an idle poll saw a change')
    known = found.known
    idle.push(ms)
  }
  const name = `${ROWS.toLocaleString('en')} rows, ${SITES.toLocaleString('en')} sites`
  return [
    {
      name: `${name}: whole read`,
      measured: median(whole),
      unit: 'ms',
      goal: 2000,
      note: `${examinedWhole} rows examined`,
    },
    { name: `${name}: rows to mappings`, measured: median(compiling), unit: 'ms' },
    { name: `${name}: kept on the heap`, measured: kept, unit: 'MiB' },
    { name: `${name}: idle poll`, measured: median(idle), unit: 'ms', goal: 200, note: `${reads} rows examined` },
  ]
}

async function rowsExamined(database: Database): Promise<number> {
  const rows = await database.rows("SHOW SESSION STATUS LIKE 'Handler_read%'")
  return rows.reduce((sum, [, count]) => sum + Number(count), 0)
}

function network(): string {
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1))
  const sites = numbers(SITES).map((id) => `(${id}, 1, '${id === '1' ? '' : `site${id}.`}network.example', '/')`)
  const rows = numbers(ROWS).map(
    (id) => `(${(Number(id) % SITES) + 1}, 'shop${id}.example.com', 'done', '2024-01-01 00:00:00')`,
  )
  return `${coreTables()}${ultimateTable()}${wwwSettings('never')}
    INSERT INTO wp_site (domain, path) VALUES ('network.example', '/');
    INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES ${sites.join()};
    INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage, date_created) VALUES ${rows.join()};`
}

function appWithDatabase(): App {
  const wordpress: NonNullable<AppSpec['wordpress']> = {
    connectionSecretRef: { name: 'wp-db', key: 'url' },
    tablePrefix: 'wp_',
    mappings: 'Auto',
    includeSites: false,
    pollInterval: 5000,
  }
  const spec = { ...(appDefaults('AAAAAAAAAAAAAAAA') as AppSpec), wordpress }
  return { key: 'a/b', namespace: 'a', name: 'b', generation: 1, place: 'bench', labels: {}, annotations: {}, spec }
}
