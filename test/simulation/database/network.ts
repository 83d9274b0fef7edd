import type { Random } from '../random.ts'
import { deleteRows, emptyTable, insert, largestId, type Row, type Table, type Tables, update } from './tables.ts'

/** Which plugin keeps the mappings; `Core`: the sites themselves are all there is. */
export type Plugin = 'UltimateMultisite' | 'Mercator' | 'MuDomainMapping' | 'Core'

/** How a row can stop to count. `site-gone`: the row is left over. */
export type Way = 'row-gone' | 'inactive' | 'archived' | 'spam' | 'deleted' | 'site-gone'

/** A WordPress network, as the people see it who work with its admin pages. */
export interface Network {
  readonly plugin: Plugin
  /** Where the mappings stand. */
  readonly table: string
  readonly tables: Tables
  /** The tables whose ids tell an older copy. */
  readonly counted: readonly string[]
  /** The states before the last few changes, the oldest first. */
  readonly copies: readonly Tables[]
  /** The domains that count, as of now or in other tables. */
  live(tables?: Tables): ReadonlySet<string>
  /** Maps a domain; nothing when it is mapped, or there is no table. */
  put(domain: string): void
  /** Takes a mapping away. One that does not count any more is left as it is. */
  remove(domain: string, way?: Way): void
  /** When a table came to be what it is, in epoch milliseconds; undefined: before the server was started. */
  changedAt(table: Table): number | undefined
  /** Puts other tables into the place of these. */
  replace(tables: Tables): void
  /** Whether no table is missing. */
  isWhole(tables?: Tables): boolean
  /** Whether some counter would give an id again that was given before. */
  isBehind(): boolean
  /** Sets the counters to where they would be. */
  catchUp(): void
  /** Somebody has read these tables: the ids in them were given. */
  noteIds(tables: Tables): void
  /** Ids that were given before and are not there are forgotten: nobody who knew of them is left. */
  forgetIds(): void
}

const COPIES = 12
const SITES = 'wp_blogs'
const MAPPINGS = { UltimateMultisite: 'wp_wu_domain_mappings', Mercator: 'wp_domain_mapping' } as const
const MARKS = { UltimateMultisite: 'wu_setup_finished', Mercator: 'mercator.db.version', MuDomainMapping: 'dm_hash' }
const SERVED = { archived: '0', spam: '0', deleted: '0' }

/** A network without mappings. `now`: epoch milliseconds. */
export function createNetwork(domain: string, plugin: Plugin, now: () => number, random: Random): Network {
  const table = plugin === 'Core' ? SITES : MAPPINGS[plugin === 'UltimateMultisite' ? plugin : 'Mercator']
  const date = (): string => new Date(now()).toISOString().slice(0, 19).replace('T', ' ')
  let tables = firstTables(domain, plugin, date())
  const names = [...tables.keys()]
  let copies: Tables[] = []
  const counted = [...new Set([SITES, table])]
  const given = new Map<string, number>()
  const changed = new WeakMap<Table, number>()

  function replace(next: Tables): void {
    copies = [...copies, tables].slice(-COPIES)
    for (const [name, table] of next) if (tables.get(name) !== table) changed.set(table, now())
    tables = next
    noteIds(next)
  }
  function noteIds(of: Tables): void {
    for (const name of counted) given.set(name, Math.max(idOf(name), largestOf(of.get(name))))
  }
  const idOf = (name: string): number => given.get(name) ?? 0
  const largestOf = (of: Table | undefined): number => (of === undefined ? 0 : largestId(of))
  const edit = (name: string, change: (before: Table) => Table): void => {
    const before = tables.get(name)
    if (before !== undefined) replace(new Map(tables).set(name, change(before)))
  }

  /** Gives the id of a new site. */
  function addSite(own: string | undefined): string {
    const id = String(tables.get(SITES)?.next)
    edit(SITES, (before) =>
      insert(before, { site_id: '1', domain: own ?? `s${id}.${domain}`, path: '/', registered: date(), ...SERVED }),
    )
    return id
  }

  const rowOf = (name: string): Row | undefined => tables.get(table)?.rows.find((row) => row.domain === name)
  const siteOf = (row: Row): Row | undefined => tables.get(SITES)?.rows.find(({ blog_id }) => blog_id === row.blog_id)
  const setSite = (row: Row, change: Row): void =>
    edit(SITES, (before) => update(before, ({ blog_id }) => blog_id === row.blog_id, change))
  const setRow = (name: string, change: Row): void =>
    edit(table, (before) => update(before, (row) => row.domain === name, change))

  function putRow(name: string): void {
    const row = rowOf(name)
    if (row === undefined) {
      const blogId = addSite(undefined)
      edit(table, (before) =>
        insert(before, { blog_id: blogId, domain: name, active: '1', stage: 'done', date_created: date() }),
      )
    } else if (siteOf(row) === undefined) setRow(name, { blog_id: addSite(undefined), active: '1' })
    else {
      setSite(row, SERVED)
      setRow(name, { active: '1' })
    }
  }

  function put(name: string): void {
    if (live().has(name) || !tables.has(table) || !tables.has(SITES)) return
    const row = rowOf(name)
    if (plugin !== 'Core') putRow(name)
    else if (row === undefined) addSite(name)
    else setSite(row, SERVED)
  }

  function remove(name: string, way: Way = waysOf(plugin, random)): void {
    const row = rowOf(name)
    if (row === undefined || !live().has(name)) return
    if (way === 'row-gone') edit(table, (before) => deleteRows(before, ({ domain }) => domain === name))
    else if (way === 'inactive') setRow(name, { active: '0' })
    else if (way === 'site-gone') edit(SITES, (before) => deleteRows(before, ({ blog_id }) => blog_id === row.blog_id))
    else setSite(row, { [way]: '1' })
  }

  const live = (of: Tables = tables): ReadonlySet<string> => liveIn(of, table, plugin, domain)

  return {
    plugin,
    table,
    counted,
    get tables() {
      return tables
    },
    get copies() {
      return copies
    },
    live,
    put,
    remove,
    changedAt: (table) => changed.get(table),
    replace,
    isWhole: (of = tables) => names.every((name) => of.has(name)),
    isBehind: () => counted.some((name) => (tables.get(name)?.next ?? 0) <= idOf(name)),
    catchUp() {
      for (const name of counted) edit(name, (before) => ({ ...before, next: Math.max(before.next, idOf(name) + 1) }))
    },
    noteIds,
    forgetIds() {
      for (const name of counted) given.set(name, largestOf(tables.get(name)))
    },
  }
}

/** A way in which rows of a plugin go. */
function waysOf(plugin: Plugin, random: Random): Way {
  const ways: Way[] = ['row-gone', 'row-gone', 'archived', 'spam', 'deleted', 'site-gone']
  return random.pick(plugin === 'UltimateMultisite' || plugin === 'Mercator' ? [...ways, 'inactive'] : ways)
}

const known = new WeakMap<Tables, ReadonlySet<string>>()

/** The domains whose rows count and whose sites are served. */
function liveIn(tables: Tables, table: string, plugin: Plugin, own: string): ReadonlySet<string> {
  const found = known.get(tables) ?? new Set(liveRows(tables, table, plugin, own).map(({ domain }) => domain!))
  known.set(tables, found)
  return found
}

function liveRows(tables: Tables, table: string, plugin: Plugin, own: string): Row[] {
  const sites = (tables.get(SITES)?.rows ?? []).filter((row) =>
    [row.archived, row.spam, row.deleted].every((flag) => flag === '0'),
  )
  if (plugin === 'Core') return sites.filter(({ domain }) => domain !== own && !domain!.endsWith(`.${own}`))
  const served = new Set(sites.map(({ blog_id }) => blog_id))
  const rows = tables.get(table)?.rows ?? []
  return rows.filter(({ blog_id, active }) => served.has(blog_id!) && (active === '1' || plugin === 'MuDomainMapping'))
}

function firstTables(domain: string, plugin: Plugin, date: string): Tables {
  const site = insert(emptyTable(['id', 'domain', 'path']), { domain, path: '/' })
  const sites = insert(
    emptyTable(['blog_id', 'site_id', 'domain', 'path', 'registered', 'archived', 'spam', 'deleted']),
    { site_id: '1', domain, path: '/', registered: date, ...SERVED },
  )
  const meta = insert(emptyTable(['meta_id', 'site_id', 'meta_key', 'meta_value']), {
    site_id: '1',
    meta_key: 'site_name',
    meta_value: domain,
  })
  const tables = new Map([
    ['wp_site', site],
    [SITES, sites],
    ['wp_sitemeta', meta],
  ])
  if (plugin === 'Core') return tables
  tables.set('wp_sitemeta', insert(meta, { site_id: '1', meta_key: MARKS[plugin], meta_value: '1' }))
  const columns = ['id', 'blog_id', 'domain', 'active']
  if (plugin === 'UltimateMultisite')
    return tables.set(MAPPINGS[plugin], emptyTable([...columns, 'primary_domain', 'secure', 'stage', 'date_created']))
  if (plugin === 'MuDomainMapping')
    tables.set('wp_domain_mapping_logins', emptyTable(['id', 'user_id', 'blog_id', 't']))
  return tables.set(MAPPINGS.Mercator, emptyTable(columns))
}
