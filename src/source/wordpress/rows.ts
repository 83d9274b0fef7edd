import type { App, Mapping } from '../../api/objects.ts'
import { compareKey, type WwwRule } from '../../domain/host.ts'
import type { SourceFault } from '../source.ts'
import type { Family, TableNames } from './families.ts'

/** A row of `{p}site`: a network. */
export interface NetworkRow {
  id: string
  domain: string | null
}

/** A row of `{p}blogs`: a site. All as text: `archived` is an ENUM in old networks. */
export interface SiteRow {
  blogId: string
  siteId: string
  domain: string | null
  registered: string | null
  archived: string | null
  spam: string | null
  deleted: string | null
}

/** A row of a mapping table, as text. */
export interface MappingRow {
  id: string
  blogId: string | null
  domain: string | null
  active: string | null
  stage: string | null
  created: string | null
}

/** The rows of one database, as far as they make mappings. */
export interface Rows {
  family: Family
  names: TableNames
  /** The mapping table, where the family has one. */
  table: string | undefined
  networks: readonly NetworkRow[]
  sites: readonly SiteRow[]
  mappings: readonly MappingRow[]
}

/** What rows come to. */
export interface Compiled {
  mappings: Mapping[]
  faults: SourceFault[]
  /** Stages that are not known: harmless, but reported. */
  unknownStages: string[]
}

/** Stages of Ultimate Multisite. None makes a host unwanted; an older table stores a newer stage as the empty text. */
const STAGES = ['checking-dns', 'checking-ssl-cert', 'done', 'failed', 'done-without-ssl', 'ssl-failed', '']

/** Rows have neither labels nor annotations: one object does for all of them. */
const NOTHING: Record<string, string> = Object.freeze({})

/** The plugin's www rule by network, or undefined to leave it to the app. */
type WwwOf = (siteId: string) => WwwRule | undefined

/** A row that counts, before it is known to be the only one of its name. */
interface Candidate {
  table: string
  /** Name of the id's column. */
  column: string
  id: string
  domain: string
  created: number | undefined
  www: WwwRule | undefined
}

/**
 * The mappings of an app: rows of the mapping table whose site is served, then sites whose own name lies outside the networks'
 * domains, then with `includeSites` the names below them. One host is one mapping: a row goes before a site, then the older by
 * its date (no date is the oldest), then the lower id.
 */
export function compileRows(app: App, rows: Rows, wwwOf: WwwOf): Compiled {
  const faults: SourceFault[] = []
  const stages = new Set<string>()
  const sites = new Map(rows.sites.map((site) => [site.blogId, site]))
  const candidates: Candidate[] = []
  for (const row of rows.mappings) {
    if (row.stage !== null && !STAGES.includes(row.stage)) stages.add(row.stage)
    if (rows.family !== 'MuDomainMapping' && row.active !== '1') continue
    const site = row.blogId === null ? undefined : sites.get(row.blogId)
    const fault = faultOf(row, site)
    if (fault !== undefined) faults.push({ place: `${rows.table} id ${row.id}`, message: fault })
    else if (site !== undefined && counts(app, site)) {
      const [table, domain] = [rows.table as string, (row.domain as string).trim()]
      const [created, www] = [dateOf(row.created), wwwOf(site.siteId)]
      candidates.push({ table, column: 'id', id: row.id, domain, created, www })
    }
  }
  candidates.push(...siteCandidates(app, rows, wwwOf))
  return { mappings: unique(candidates).map((each) => mappingOf(app, each)), faults, unknownStages: [...stages] }
}

function siteCandidates(app: App, { sites, networks, names }: Rows, wwwOf: WwwOf): Candidate[] {
  const inside = insideNetworks(networks)
  const own = new Set(networks.map(({ domain }) => compareKey(domain ?? '')))
  const candidates: Candidate[] = []
  for (const site of sites) {
    const domain = site.domain?.trim() ?? ''
    const key = compareKey(domain)
    // A port is a network on a test machine: nothing that ServerPilot could serve.
    if (domain === '' || domain.includes(':') || own.has(key) || !counts(app, site)) continue
    const within = inside(key)
    if (within && app.spec.wordpress?.includeSites !== true) continue
    const www = within && app.spec.www === undefined ? 'Never' : wwwOf(site.siteId)
    const created = dateOf(site.registered)
    candidates.push({ table: names.blogs, column: 'blog_id', id: site.blogId, domain, created, www })
  }
  return candidates
}

function faultOf({ blogId, domain }: MappingRow, site: SiteRow | undefined): string | undefined {
  const name = domain?.trim() ?? ''
  if (name === '') return 'the row has no domain; it does not count. Remove it or give it one.'
  if (site === undefined) {
    return `${name} is mapped to site ${blogId}, which does not exist; it does not count. Remove the row.`
  }
  if (/:\d*$/.test(name))
    return `${name} has a port; ServerPilot serves host names. It does not count: remove the port.`
  return undefined
}

function unique(candidates: readonly Candidate[]): Candidate[] {
  const byHost = new Map<string, Candidate>()
  for (const each of candidates) {
    const key = compareKey(each.domain)
    const other = byHost.get(key)
    if (other === undefined || precedes(each, other)) byHost.set(key, each)
  }
  return [...byHost.values()]
}

function precedes(a: Candidate, b: Candidate): boolean {
  if (a.column !== b.column) return a.column === 'id'
  const age = (a.created ?? -1) - (b.created ?? -1)
  return age === 0 ? BigInt(a.id) < BigInt(b.id) : age < 0
}

/** `2024-01-01 00:00:00` as UTC in epoch milliseconds; undefined for what is not a date, such as `0000-00-00 00:00:00`. */
export function dateOf(text: string | null): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?$/.exec(text ?? '')
  const time = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`)
  return Number.isNaN(time) || time < 0 ? undefined : time
}

function mappingOf(app: App, { table, column, id, domain, created, www }: Candidate): Mapping {
  const name = `${app.name}/${table}/${id}`
  return {
    key: `${app.namespace}/${name}`,
    namespace: app.namespace,
    name,
    generation: generationOf(`${domain} ${www ?? ''}`),
    place: `${table} ${column} ${id}`,
    labels: NOTHING,
    annotations: NOTHING,
    source: 'wordpress',
    domain,
    app: app.key,
    ...(created === undefined ? {} : { created }),
    ...(www === undefined ? {} : { www }),
  }
}

/** A positive number that is another one when the text is: rows have no generation of their own (FNV-1a). */
function generationOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 1) + 1
}

/** Whether a site is of the network that is served, and to be reached. */
function counts(app: App, site: SiteRow): boolean {
  const network = app.spec.wordpress?.network
  return (network === undefined || site.siteId === network) && isServed(site)
}

/** Whether the site is to be reached: not archived, spam or deleted. */
function isServed(site: SiteRow): boolean {
  return [site.archived, site.spam, site.deleted].every((flag) => flag === null || flag === '' || /^0+$/.test(flag))
}

/** The networks' own names, canonical, each with its `www.`: they are never removed. */
export function protectedNames(networks: readonly NetworkRow[]): string[] {
  return [...new Set(networkNames(networks).flatMap((name) => [name, `www.${name}`]))]
}

/** Tells whether a canonical name is a network's own or below one. */
function insideNetworks(networks: readonly NetworkRow[]): (name: string) => boolean {
  const names = new Set(networkNames(networks))
  return (name) => {
    const labels = name.split('.')
    return labels.some((_, index) => names.has(labels.slice(index).join('.')))
  }
}

/** For comparing, without `www.`, and without the port that networks on test machines have. */
function networkNames(networks: readonly NetworkRow[]): string[] {
  const names = networks.map(({ domain }) => compareKey((domain ?? '').trim().replace(/:\d+$/, '')))
  return names.map((name) => name.replace(/^www\./, '')).filter((name) => name !== '')
}
