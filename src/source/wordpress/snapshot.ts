import { type Cell, type Database, quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'
import { MARKS, type MappingsSetting, type TableNames, tableNames } from './families.ts'
import { candidatesOf, findTables, type MappingTable } from './find-tables.ts'
import { ACTIVE_KEY, CREDENTIAL_KEYS, INTEGRATIONS_KEY } from './plugins.ts'
import type { MappingRow, NetworkRow, Rows, SiteRow } from './rows.ts'
import { settingName } from './setting-names.ts'
import type { MetaRow } from './settings.ts'

/** Everything of a network that was read at one moment. */
export interface Snapshot extends Rows {
  meta: readonly MetaRow[]
  /** Largest id by table, of those rows that were read. */
  largest: ReadonlyMap<string, bigint>
  /** The id that the next row gets, by table; missing where the server does not say. */
  next: ReadonlyMap<string, bigint>
}

/** A table with the columns in which a change matters. `where` keeps to rows that matter. */
interface Involved {
  table: string
  columns: readonly string[]
  where?: string
}

/** What a short reading compares. */
interface Watched {
  involved: readonly Involved[]
  /** Tables that would be looked at if they were there, or that decide by being there. */
  candidates: readonly string[]
}

/** What a whole read leaves behind, so that the next reading can be a short one. */
export interface Known {
  watched: Watched
  fingerprint: string
}

/** `same`: nothing that matters changed since `known`. */
export type DatabaseRead = { kind: 'same' } | { kind: 'read'; snapshot: Snapshot; known: Known }

const META_KEYS: readonly string[] = [...Object.values(MARKS), INTEGRATIONS_KEY, ACTIVE_KEY, ...CREDENTIAL_KEYS]
const keyIn = (keys: readonly string[]): string => `meta_key IN (${keys.map((key) => `'${key}'`).join(', ')})`
/** Fits every collation: names are compared again here. */
const META_WHERE = keyIn(META_KEYS)
/** Of credentials only whether they are there: they never leave the server. */
const META_VALUE = `IF(${keyIn(CREDENTIAL_KEYS)}, IF(meta_value > '', '1', '0'), meta_value)`
const SITE_FLAGS = ['archived', 'spam', 'deleted'] as const
const BLOG_COLUMNS = ['blog_id', 'site_id', 'domain', ...SITE_FLAGS]
const ROW_COLUMNS = ['id', 'blog_id', 'domain', 'active']

/**
 * Reads a database: little when `known` still fits, else everything, in one consistent read-only snapshot (of InnoDB
 * tables; others are read one after the other). Only SELECT. Rejects with the driver's error or a `DatabaseError`, never with a
 * part of the answer: what is missing, undecided or empty against all sense is an error.
 */
export async function readDatabase(
  database: Database,
  { prefix, mappings, statementMs }: { prefix: string; mappings: MappingsSetting; statementMs: number },
  known?: Known,
): Promise<DatabaseRead> {
  await begin(database, statementMs)
  if (known !== undefined && (await stillFits(database, known))) return { kind: 'same' }
  const names = tableNames(prefix)
  await requireTables(database, names)
  const meta = await readMeta(database, names)
  const networks = (await selectSome(database, names.site, ['id', 'domain'])).map(networkOf)
  const { family, tables, older } = await findTables(database, mappings, { names, meta: meta.first, networks })
  const [table] = tables.map((each) => each.table)
  const involved = involvedIn(names, [...tables, ...older])
  const watched = { involved, candidates: candidatesOf(mappings, names, networks) }
  const taken = await fingerprint(database, watched)
  const sites = (await selectSome(database, names.blogs, [...BLOG_COLUMNS, 'registered'])).map(siteOf)
  const parts: MappingRow[][] = []
  for (const each of tables) parts.push(await readRows(database, each))
  requireWhole(taken.counts, [
    [names.site, networks.length],
    [names.blogs, sites.length],
    [names.sitemeta, meta.rows],
    ...tables.map(({ table }, index) => [table, parts[index]?.length ?? 0] as const),
  ])
  const next = await nextIds(database, [names.blogs, ...tables.map((each) => each.table)])
  await database.rows('COMMIT')
  const largest = new Map([[names.blogs, largestOf(sites.map(({ blogId }) => blogId))]])
  for (const [index, rows] of parts.entries()) {
    largest.set(tables[index]?.table ?? '', largestOf(rows.map(({ id }) => id)))
  }
  const rows = { networks, sites, mappings: parts.flat(), meta: meta.first }
  const snapshot: Snapshot = { family, names, table, ...rows, largest, next }
  return { kind: 'read', snapshot, known: { watched, fingerprint: taken.text } }
}

async function begin(database: Database, statementMs: number): Promise<void> {
  const limit =
    database.server === 'mariadb'
      ? `SET SESSION max_statement_time = ${statementMs / 1000}`
      : `SET SESSION max_execution_time = ${Math.ceil(statementMs)}`
  // Servers older than these limits (MySQL 5.6, MariaDB 10.0) do without; the limit here counts all the same.
  await optional(database, limit)
  // MySQL 8 gives ids that are up to a day old otherwise.
  if (database.server === 'mysql') await optional(database, 'SET SESSION information_schema_stats_expiry = 0')
  const wait = Math.max(1, Math.ceil(statementMs / 1000))
  // What the server was told for all sessions neither cuts answers short nor recodes them (`init_connect` runs before this).
  await database.rows(
    `SET SESSION lock_wait_timeout = ${wait}, time_zone = '+00:00', sql_select_limit = 18446744073709551615`,
  )
  await database.rows('SET NAMES utf8mb4')
  await database.rows('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  await database.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
  await requireText(database)
}

/** Letters of two, three and four bytes, and how they are stored. */
const LETTERS = 'ü€𝄞'
const STORED = Buffer.from(LETTERS).toString('hex')

/** Throws where something on the way makes other letters of what is stored. */
async function requireText(database: Database): Promise<void> {
  const [[letters] = []] = await database.rows(`SELECT CONVERT(X'${STORED}' USING utf8mb4)`)
  if (letters === LETTERS) return
  throw new DatabaseError(
    'letters of domains do not arrive as they are stored: a proxy between domainpilot and the server recodes them; connect to the server itself, or have the proxy speak utf8mb4',
  )
}

/** Throws where a table gave other rows than the server counted in the same snapshot. */
function requireWhole(counts: Fingerprint['counts'], read: readonly (readonly [table: string, rows: number])[]): void {
  for (const [table, rows] of read) {
    const count = counts.get(table)
    if (count === rows) continue
    throw new DatabaseError(
      `table ${table} gave ${rows} of its ${count} row(s): a proxy between domainpilot and the server cuts answers short or answers from memory; connect to the server itself. If the table is no InnoDB one, it may have changed just now, and the next reading tells`,
    )
  }
}

async function optional(database: Database, sql: string): Promise<void> {
  await database.rows(sql).catch((error: { errno?: unknown }) => {
    if (error.errno !== 1193) throw error
  })
}

async function stillFits(database: Database, { watched, fingerprint: before }: Known): Promise<boolean> {
  try {
    return (await fingerprint(database, watched)).text === before
  } catch (error) {
    // A table or column that is not there any more: the whole read says which.
    if ([1146, 1054].includes((error as { errno?: number }).errno ?? 0)) return false
    throw error
  }
}

interface Fingerprint {
  text: string
  /** Rows of each table. */
  counts: ReadonlyMap<string, number>
}

/**
 * One text that is another one when anything that matters in these tables is, or one of the candidates comes or goes: count, and a
 * sum over each row. The server reads the rows and sends one line. Sums over the bytes themselves, in hex: no collation has a say,
 * and no charset is converted.
 *
 * A sum, because `MAX(date_modified)` misses what people change by hand, and three of the plugins have no dates at all.
 */
async function fingerprint(database: Database, { involved, candidates }: Watched): Promise<Fingerprint> {
  const sums = involved.map(({ table, columns, where }) => {
    const cells = columns.map((column) => `IFNULL(HEX(${quote(column)}), '-')`).join(', ')
    const condition = where === undefined ? '' : ` WHERE ${where}`
    return `(SELECT CONCAT_WS(':', COUNT(*), SUM(CRC32(CONCAT_WS('.', ${cells})))) FROM ${quote(table)}${condition})`
  })
  // By their whole names: the server then looks at no other of the network's many tables.
  const present = candidates.map(
    (table) =>
      `(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}')`,
  )
  const [row = []] = await database.rows(`SELECT ${[...sums, ...present].join(', ')}`)
  const tables = involved.map(({ table }) => table)
  return {
    text: [...tables, ...row.map((cell) => cell ?? '')].join(' '),
    counts: new Map(tables.map((table, index) => [table, Number(row[index]?.split(':')[0])])),
  }
}

async function requireTables(database: Database, names: TableNames): Promise<void> {
  for (const table of [names.site, names.blogs, names.sitemeta]) {
    if ((await database.columns(table)) !== undefined) continue
    const hint = await otherPrefix(database)
    throw new DatabaseError(
      `there is no table ${table}: check ${settingName('tablePrefix')}, and that this is the database of a multisite network${hint}`,
    )
  }
}

/** The prefixes of networks that are there, for a hint. */
async function otherPrefix(database: Database): Promise<string> {
  const tables = await database.rows("SHOW TABLES LIKE '%sitemeta'")
  const prefixes = tables.map(([name]) => `"${name?.slice(0, -'sitemeta'.length)}"`)
  return prefixes.length === 0 ? '' : ` (there is a network with the prefix ${prefixes.join(', ')})`
}

/** `rows`: how many there were. */
async function readMeta(database: Database, { sitemeta }: TableNames): Promise<{ first: MetaRow[]; rows: number }> {
  const sql = `SELECT site_id, meta_key, ${META_VALUE} FROM ${quote(sitemeta)} WHERE ${META_WHERE} ORDER BY site_id, meta_id`
  const rows = await database.rows(sql)
  const first = new Map<string, MetaRow>()
  for (const [siteId, key, value] of rows) {
    const id = `${siteId} ${key}`
    // WordPress takes the first of several.
    if (key && META_KEYS.includes(key) && !first.has(id)) {
      first.set(id, { siteId: siteId ?? '', key, value: value ?? null })
    }
  }
  return { first: [...first.values()], rows: rows.length }
}

function involvedIn(names: TableNames, tables: readonly MappingTable[]): Involved[] {
  return [
    { table: names.site, columns: ['id', 'domain'] },
    { table: names.blogs, columns: BLOG_COLUMNS },
    { table: names.sitemeta, columns: ['meta_id', 'site_id', 'meta_key', 'meta_value'], where: META_WHERE },
    ...tables.map(({ table, columns }) => {
      const stage = columns.includes('stage') ? ['stage'] : []
      return { table, columns: [...ROW_COLUMNS, ...stage] }
    }),
  ]
}

const select = (database: Database, table: string, columns: readonly string[]): Promise<Cell[][]> =>
  database.rows(`SELECT ${columns.map(quote).join(', ')} FROM ${quote(table)} ORDER BY 1`)

async function selectSome(database: Database, table: string, columns: readonly string[]): Promise<Cell[][]> {
  const rows = await select(database, table, columns)
  if (rows.length === 0) throw new DatabaseError(`table ${table} is empty: a network has at least one row there`)
  return rows
}

const networkOf = ([id, domain = null]: Cell[]): NetworkRow => ({ id: id ?? '', domain })

function siteOf(cells: Cell[]): SiteRow {
  const [blogId, siteId, domain = null, archived = null, spam = null, deleted = null, registered = null] = cells
  return { blogId: blogId ?? '', siteId: siteId ?? '', domain, archived, spam, deleted, registered }
}

async function readRows(database: Database, { table, columns }: MappingTable): Promise<MappingRow[]> {
  const all = [...ROW_COLUMNS, ...['stage', 'date_created'].filter((column) => columns.includes(column))]
  const [stageAt, createdAt] = [all.indexOf('stage'), all.indexOf('date_created')]
  return (await select(database, table, all)).map((cells) => {
    const [id, blogId = null, domain = null, active = null] = cells
    const [stage, created] = [cells[stageAt] ?? null, cells[createdAt] ?? null]
    return { table, id: id ?? '', blogId, domain, active, stage, created }
  })
}

/** One table at a time: a network has a dozen tables for each site, and the server opens every table unless it is given one name. */
async function nextIds(database: Database, tables: readonly string[]): Promise<Map<string, bigint>> {
  const next = new Map<string, bigint>()
  for (const table of tables) {
    const [[id] = []] = await database.rows(
      `SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}'`,
    )
    if (id) next.set(table, BigInt(id))
  }
  return next
}

function largestOf(ids: readonly string[]): bigint {
  let largest = 0n
  for (const id of ids) if (BigInt(id) > largest) largest = BigInt(id)
  return largest
}
