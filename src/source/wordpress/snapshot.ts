import { isDeepStrictEqual } from 'node:util'
import { type Cell, type Database, quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'
import { MARKS, type MappingsSetting, type TableNames, tableNames } from './families.ts'
import { candidatesOf, findTables, type MappingTable } from './find-tables.ts'
import { ACTIVE_KEY, CREDENTIAL_KEYS, INTEGRATIONS_KEY } from './plugins.ts'
import type { MappingRow, NetworkRow, Rows, SiteRow } from './rows.ts'
import { beginSession, startSnapshot } from './session.ts'
import { settingName } from './setting-names.ts'
import type { MetaRow } from './settings.ts'
import { type Involved, requireWhole, type Sums, sumsOf } from './sums.ts'
import { type Traces, tracesOf } from './traces.ts'

/** Everything of a network that was read at one moment. */
export interface Snapshot extends Rows {
  meta: readonly MetaRow[]
  /** Largest id by table, of those rows that were read. */
  largest: ReadonlyMap<string, bigint>
  /** The id that the next row gets, by table; missing where the server does not say. */
  next: ReadonlyMap<string, bigint>
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
  sums: Sums
  /** Those candidates that are there. */
  present: readonly string[]
  /** Of those tables whose rows were summed up since: what the server kept of them before. */
  traces: Traces['settled']
}

/** `same`: nothing that matters changed; the next reading needs this `known`. */
export type DatabaseRead = { kind: 'same'; known: Known } | { kind: 'read'; snapshot: Snapshot; known: Known }

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
  await beginSession(database, statementMs)
  const still = known && (await unchanged(database, known))
  if (still !== undefined) return { kind: 'same', known: still }
  await startSnapshot(database)
  const names = tableNames(prefix)
  await requireTables(database, names)
  const { meta, came } = await readMeta(database, names)
  const networks = (await selectSome(database, names.site, ['id', 'domain'])).map(networkOf)
  const candidates = candidatesOf(mappings, names, networks)
  // Asked for before they are looked at: of one that comes or goes in between the next look finds out.
  const present = await presentOf(database, candidates)
  const { family, tables, older } = await findTables(database, mappings, { names, meta, networks })
  const [table] = tables.map((each) => each.table)
  const watched = { involved: involvedIn(names, [...tables, ...older]), candidates }
  const sums = await sumsOf(database, watched.involved)
  requireWhole(sums, names.sitemeta, came)
  requireWhole(sums, names.site, networks.length)
  const sites = (await selectSome(database, names.blogs, [...BLOG_COLUMNS, 'registered'])).map(siteOf)
  requireWhole(sums, names.blogs, sites.length)
  const parts: MappingRow[][] = []
  for (const each of tables) {
    const rows = await readRows(database, each)
    requireWhole(sums, each.table, rows.length)
    parts.push(rows)
  }
  const next = await nextIds(database, [names.blogs, ...tables.map((each) => each.table)])
  await database.rows('COMMIT')
  const largest = new Map([[names.blogs, largestOf(sites.map(({ blogId }) => blogId))]])
  for (const [index, rows] of parts.entries()) {
    largest.set(tables[index]?.table ?? '', largestOf(rows.map(({ id }) => id)))
  }
  const snapshot: Snapshot = { family, names, table, networks, sites, mappings: parts.flat(), meta, largest, next }
  return { kind: 'read', snapshot, known: { watched, sums, present, traces: new Map() } }
}

/**
 * What is known, brought up to date; undefined when something that matters changed. The rows of a table are read only where its trace
 * moved or says nothing.
 */
async function unchanged(database: Database, known: Known): Promise<Known | undefined> {
  const { involved, candidates } = known.watched
  const { present, settled } = await tracesOf(database, [
    ...new Set([...involved.map(({ table }) => table), ...candidates]),
  ])
  const there = candidates.filter((table) => present.has(table))
  if (!isDeepStrictEqual(there, known.present)) return undefined
  const moved = involved.filter(({ table }) => {
    const trace = settled.get(table)
    return trace === undefined || trace !== known.traces.get(table)
  })
  if (moved.length > 0 && !(await sameSums(database, moved, known.sums))) return undefined
  return { ...known, traces: settled }
}

async function sameSums(database: Database, involved: readonly Involved[], before: Sums): Promise<boolean> {
  try {
    await startSnapshot(database)
    const now = await sumsOf(database, involved)
    return involved.every(({ table }) => isDeepStrictEqual(now.get(table), before.get(table)))
  } catch (error) {
    // A table or column that is not there any more: the whole read says which.
    if ([1146, 1054].includes((error as { errno?: number }).errno ?? 0)) return false
    throw error
  }
}

/** Those candidates that are there. By their whole names: the server then looks at no other of the network's many tables. */
async function presentOf(database: Database, candidates: readonly string[]): Promise<string[]> {
  if (candidates.length === 0) return []
  const counts = candidates.map((table, index) => {
    const name = index === 0 ? ` AS ${database.mark}` : ''
    return `(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}')${name}`
  })
  const [row = []] = await database.rows(`SELECT ${counts.join(', ')}`)
  return candidates.filter((_, index) => row[index] !== '0')
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

async function readMeta(database: Database, { sitemeta }: TableNames): Promise<{ meta: MetaRow[]; came: number }> {
  const sql = `SELECT site_id AS ${database.mark}, meta_key, ${META_VALUE} FROM ${quote(sitemeta)} WHERE ${META_WHERE} ORDER BY site_id, meta_id`
  const rows = await database.rows(sql)
  const first = new Map<string, MetaRow>()
  for (const [siteId, key, value] of rows) {
    const id = `${siteId} ${key}`
    // WordPress takes the first of several.
    if (key && META_KEYS.includes(key) && !first.has(id)) {
      first.set(id, { siteId: siteId ?? '', key, value: value ?? null })
    }
  }
  return { meta: [...first.values()], came: rows.length }
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

/** The rows of a table, by its first column. */
function select(database: Database, table: string, [first = '', ...rest]: readonly string[]): Promise<Cell[][]> {
  const columns = [`${quote(first)} AS ${database.mark}`, ...rest.map(quote)]
  return database.rows(`SELECT ${columns.join(', ')} FROM ${quote(table)} ORDER BY 1`)
}

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
      `SELECT AUTO_INCREMENT AS ${database.mark} FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}'`,
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
