import type { App, Mapping } from '../../api/objects.ts'
import { compareKey, type WwwRule } from '../../domain/host.ts'
import type { SourceFault, UncountedRow } from '../source.ts'
import type { Family, TableNames } from './families.ts'
import { type Hole, holeFaults, holeIn, whyHole } from './holes.ts'
import { settingName } from './setting-names.ts'

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
  table: string
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
  /** The mapping table, where the family has one; the first of several. */
  table: string | undefined
  networks: readonly NetworkRow[]
  sites: readonly SiteRow[]
  mappings: readonly MappingRow[]
}

/** What rows come to. */
export interface Compiled {
  mappings: Mapping[]
  /** Rows that mean nothing. */
  holes: number
  faults: SourceFault[]
  /** Names that stand in a row which does not count. */
  uncounted: UncountedRow[]
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
  /** The domain for comparing. */
  key: string
  created: number | undefined
  www: WwwRule | undefined
  /** The plugin answers for the name without `www.` by this row too. */
  bare: boolean
}

/** Plugins that serve `X` by a row `www.X` as well. */
const ANSWER_FOR_BOTH: readonly Family[] = ['Mercator', 'WpmuDev']

/**
 * The mappings of an app: rows of the mapping table whose site is served, then sites whose own name lies outside the networks'
 * domains, then with `includeSites` the names below them. One host is one mapping: a row goes before a site, then the older by
 * its date (no date is the oldest), then the lower id.
 */
export function compileRows(app: App, rows: Rows, wwwOf: WwwOf): Compiled {
  const stages = new Set<string>()
  const holes: Hole[] = []
  const uncounted: UncountedRow[] = []
  const candidates: Candidate[] = []
  const sites = new Map(rows.sites.map((site) => [site.blogId, site]))
  const networkOf = new Map(rows.networks.map(({ id }) => [rows.names.ultimateOf(id), id]))
  const ruleOf = wwwRules(app, rows, wwwOf)
  for (const row of rows.mappings) {
    if (row.stage !== null && !STAGES.includes(row.stage)) stages.add(row.stage)
    const site = row.blogId === null ? undefined : sites.get(row.blogId)
    const active = rows.family === 'MuDomainMapping' || row.active === '1'
    const foreign = ofAnother(app, site?.siteId ?? networkOf.get(row.table))
    const hole = active && foreign === undefined ? holeIn(row, site !== undefined) : undefined
    if (hole !== undefined) holes.push(hole)
    const why = active ? (foreign ?? (hole === undefined ? unserved(site) : whyHole(hole))) : 'it is not active'
    if (why !== undefined) uncounted.push(...uncountedRow(`${row.table} id ${row.id}`, row.domain, why))
    else if (site !== undefined) candidates.push(rowCandidate(row, rows.family, (key) => ruleOf(key, site)))
  }
  candidates.push(...siteCandidates(app, rows, ruleOf, uncounted))
  return {
    mappings: unique(candidates).map((each) => mappingOf(app, each)),
    holes: holes.length,
    faults: holeFaults(holes),
    uncounted,
    unknownStages: [...stages],
  }
}

/** The www rule for a name (for comparing) of a site: below a network's own domain there is none, unless the app says so. */
type RuleOf = (key: string, site: SiteRow) => WwwRule | undefined

function wwwRules(app: App, { networks }: Rows, wwwOf: WwwOf): RuleOf {
  const inside = insideNetworks(networks)
  const own = new Set(networkNames(networks))
  return (key, { siteId }) => {
    if (app.spec.www !== undefined) return undefined
    return !own.has(key) && inside(key) ? 'Never' : wwwOf(siteId)
  }
}

function rowCandidate(row: MappingRow, family: Family, wwwOf: (key: string) => WwwRule | undefined): Candidate {
  const { table, id } = row
  const domain = (row.domain as string).trim()
  const key = compareKey(domain)
  const bare = ANSWER_FOR_BOTH.includes(family)
  return { table, column: 'id', id, domain, key, created: dateOf(row.created), www: wwwOf(key), bare }
}

function siteCandidates(
  app: App,
  { sites, networks, names: { blogs: table } }: Rows,
  ruleOf: RuleOf,
  uncounted: UncountedRow[],
): Candidate[] {
  const inside = insideNetworks(networks)
  const own = new Set(networks.map(({ domain }) => compareKey(domain ?? '')))
  const candidates: Candidate[] = []
  for (const site of sites) {
    const domain = site.domain?.trim() ?? ''
    const key = compareKey(domain)
    // A port is a network on a test machine: nothing that ServerPilot could serve.
    if (domain === '' || domain.includes(':') || own.has(key)) continue
    if (inside(key) && app.spec.wordpress?.includeSites !== true) continue
    const [id, why] = [site.blogId, ofAnother(app, site.siteId) ?? unserved(site)]
    if (why !== undefined) {
      uncounted.push(...uncountedRow(`${table} blog_id ${id}`, domain, why))
      continue
    }
    const [created, www] = [dateOf(site.registered), ruleOf(key, site)]
    candidates.push({ table, column: 'blog_id', id, domain, key, created, www, bare: false })
  }
  return candidates
}

function uncountedRow(place: string, domain: string | null, why: string): UncountedRow[] {
  const name = domain?.trim() ?? ''
  return name === '' ? [] : [{ place, domain: name, why }]
}

function unique(candidates: readonly Candidate[]): Candidate[] {
  const byHost = new Map<string, Candidate>()
  for (const each of candidates) {
    const other = byHost.get(each.key)
    if (other === undefined || precedes(each, other)) byHost.set(each.key, each)
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

function mappingOf(app: App, { table, column, id, domain, key, created, www, bare }: Candidate): Mapping {
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
    ...(bare && key.startsWith('www.') ? { bare } : {}),
  }
}

/** A positive number that is another one when the text is: rows have no generation of their own (FNV-1a). */
function generationOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 1) + 1
}

/** Why what belongs to a network does not count where one network is served, as a clause; undefined when it does. */
function ofAnother(app: App, network: string | undefined): string | undefined {
  const served = app.spec.wordpress?.network
  if (served === undefined || network === undefined || network === served) return undefined
  return `it belongs to network ${network}, and ${settingName('network')} is ${served}`
}

/** Why the site is not to be reached, as a clause; undefined when it is. */
function unserved(site: SiteRow | undefined): string | undefined {
  const flag = (['archived', 'spam', 'deleted'] as const).find((each) => isSet(site?.[each] ?? null))
  return flag && `its site ${site?.blogId} is ${flag}`
}

const isSet = (flag: string | null): boolean => flag !== null && flag !== '' && !/^0+$/.test(flag)

/** The networks' own names, canonical, each with its `www.`: they are never removed. */
export function protectedNames(networks: readonly NetworkRow[]): string[] {
  return [...new Set(networkNames(networks).flatMap((name) => [name, `www.${name}`]))]
}

/** Tells whether a canonical name is a network's own or below one. */
function insideNetworks(networks: readonly NetworkRow[]): (name: string) => boolean {
  const names = new Set(networkNames(networks))
  return (name) => {
    for (let rest = name; ; ) {
      if (names.has(rest)) return true
      const dot = rest.indexOf('.')
      if (dot < 0) return false
      rest = rest.slice(dot + 1)
    }
  }
}

/** For comparing, without `www.`, and without the port that networks on test machines have. */
function networkNames(networks: readonly NetworkRow[]): string[] {
  const names = networks.map(({ domain }) => compareKey((domain ?? '').trim().replace(/:\d+$/, '')))
  return names.map((name) => name.replace(/^www\./, '')).filter((name) => name !== '')
}
