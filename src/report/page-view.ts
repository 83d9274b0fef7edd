import type { Key } from '../api/objects.ts'
import { groupBy } from '../domain/group-by.ts'
import { unicodeHost } from '../domain/host.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { AppStatus, MappingStatus, Status } from '../status/status.ts'
import { appIssues, groundOf, hostIssues, hostTone, type Issue } from './page-issues.ts'
import { ATTENTION, overview, type Tone, verdict } from './words.ts'

/** One host of the page. A mapping that has none, as it is not accepted, is one by its domain. */
export interface HostRow {
  host: HostStatus
  /** The app that it is on, or that its mapping names. */
  app: Key
  mapping: MappingStatus | undefined
  tone: Tone
  issues: readonly Issue[]
  /** As people write it, where that is another form. */
  unicode: string | undefined
  /** The installed certificate does not name it, and should. */
  uncovered: boolean
}

/** What one app, and its hosts, say of one reason. */
export interface Touched {
  issue: Issue
  /** The app itself says it, not only hosts of it. */
  own: boolean
  hosts: HostRow[]
}

/** One app with its hosts, as the page needs them. */
export interface AppPart {
  key: Key
  /** Undefined where mappings name an app that is not there. */
  app: AppStatus | undefined
  tone: Tone
  issues: readonly Issue[]
  rows: Readonly<Record<Tone, readonly HostRow[]>>
  touched: ReadonlyMap<string, Touched>
}

/** One reason, and everybody whom it hits. */
export interface Cause {
  reason: string
  /** The worst of them. */
  tone: Tone
  /** The longest of them; epoch ms. */
  since: number | undefined
  hits: readonly { part: AppPart; touched: Touched }[]
  hosts: number
}

/** Everything that the page shows, put in order: what is left to do for a request is to leave out what it does not ask for. */
export interface PageView {
  status: Omit<Status, 'apps' | 'mappings'>
  headline: { tone: Tone; text: string }
  /** What needs most attention first. */
  parts: readonly AppPart[]
  /** Of what is bad or at work. */
  causes: readonly Cause[]
  counts: Readonly<Record<Tone, { apps: number; hosts: number }>>
  /** Hosts of all apps together. */
  domains: AppStatus['domains']
}

/** The tones in the order in which they want attention. */
export const TONES: readonly Tone[] = ['bad', 'work', 'ok', 'quiet']

/** The mappings of each app, by its key. */
export const byApp = (mappings: readonly MappingStatus[]): Map<Key, MappingStatus[]> =>
  groupBy(mappings, ({ app }) => app)

/** One app, or what names one that is not there, with its mappings. Pure. */
export function partOf(key: Key, app: AppStatus | undefined, mappings: readonly MappingStatus[]): AppPart {
  const issues = app === undefined ? [] : appIssues(app)
  const rows = rowsOf(key, app, mappings)
  const byTone = groupBy(rows, ({ tone }) => tone)
  return {
    key,
    app,
    tone: app === undefined ? worst(rows.map(({ tone }) => tone)) : appTone(app, issues),
    issues,
    rows: {
      bad: byTone.get('bad') ?? [],
      work: byTone.get('work') ?? [],
      ok: byTone.get('ok') ?? [],
      quiet: byTone.get('quiet') ?? [],
    },
    touched: touchedBy(issues, rows),
  }
}

/** The view of these parts; `status` gives what concerns all of them. Pure. */
export function assemble(status: Status, parts: readonly AppPart[]): PageView {
  const { apps: _apps, mappings: _mappings, ...rest } = status
  const counts = { bad: none(), work: none(), ok: none(), quiet: none() }
  const domains = { desired: 0, observed: 0, owned: 0, foreign: 0 }
  for (const { app, tone, rows } of parts) {
    for (const each of TONES) counts[each].hosts += rows[each].length
    if (app === undefined) continue
    counts[tone].apps++
    for (const kind of COUNTS) domains[kind] += app.domains[kind]
  }
  return {
    status: rest,
    headline: overview(status),
    parts: parts.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.key < b.key ? -1 : 1)),
    causes: causesOf(parts),
    counts,
    domains,
  }
}

/** The whole view at one go. Pure. */
export function viewOf(status: Status): PageView {
  const mappings = byApp(status.mappings)
  return assemble(
    status,
    [...keysOf(status, mappings)].map(([key, app]) => partOf(key, app, mappings.get(key) ?? [])),
  )
}

/** The apps, and the keys that mappings name where no app is. */
export function keysOf(status: Status, mappings: ReadonlyMap<Key, unknown>): Map<Key, AppStatus | undefined> {
  const keys = new Map<Key, AppStatus | undefined>(status.apps.map((app) => [app.key, app]))
  for (const key of mappings.keys()) if (!keys.has(key)) keys.set(key, undefined)
  return keys
}

/** The numbers of hosts that are shown, in order. */
export const COUNTS = ['desired', 'observed', 'owned', 'foreign'] as const

const none = () => ({ apps: 0, hosts: 0 })

function rowsOf(key: Key, app: AppStatus | undefined, mappings: readonly MappingStatus[]): HostRow[] {
  const ground = groundOf(app)
  const byKey = new Map(mappings.map((mapping) => [mapping.key, mapping]))
  const shown = new Set<Key>()
  const row = (host: HostStatus, mapping: MappingStatus | undefined): HostRow => {
    const look = { host, mapping, ground }
    const issues = hostIssues(look)
    const uncovered = host.state === 'present' && ground.uncovered.has(host.name)
    return { host, app: key, mapping, tone: hostTone(look, issues), issues, unicode: unicodeHost(host.name), uncovered }
  }
  const rows = (app?.hosts ?? []).map((host) => {
    const mapping = host.mapping === undefined ? undefined : byKey.get(host.mapping)
    if (mapping !== undefined) shown.add(mapping.key)
    return row(host, mapping)
  })
  for (const mapping of mappings) {
    if (shown.has(mapping.key)) continue
    const hosts = mapping.hosts.length > 0 ? mapping.hosts : [{ name: mapping.domain, state: 'absent' as const }]
    for (const host of hosts) rows.push(row({ ...host, mapping: mapping.key }, mapping))
  }
  return rows
}

/** An app on which somebody has to act, by its own words; a plan that waits for somebody is such a thing too. */
function appTone({ conditions }: AppStatus, issues: readonly Issue[]): Tone {
  if (conditions.length === 0) return 'work'
  const tone = verdict(conditions).tone
  return tone === 'work' && issues.some((issue) => issue.tone === 'bad') ? 'bad' : tone
}

function touchedBy(issues: readonly Issue[], rows: readonly HostRow[]): ReadonlyMap<string, Touched> {
  const touched = new Map<string, Touched>(issues.map((issue) => [issue.reason, { issue, own: true, hosts: [] }]))
  for (const row of rows) {
    for (const issue of row.issues) {
      const found = touched.get(issue.reason)
      if (found === undefined) touched.set(issue.reason, { issue, own: false, hosts: [row] })
      else found.hosts.push(row)
    }
  }
  return touched
}

function causesOf(parts: readonly AppPart[]): Cause[] {
  const hits = parts.flatMap((part) => [...part.touched].map(([reason, touched]) => ({ reason, part, touched })))
  const causes = [...groupBy(hits, ({ reason }) => reason)].map(
    ([reason, those]): Cause => ({
      reason,
      tone: worst(those.map(({ touched }) => touched.issue.tone)),
      since: earliest(those.map(({ touched }) => touched.issue.since)),
      hits: those,
      hosts: those.reduce((sum, { touched }) => sum + touched.hosts.length, 0),
    }),
  )
  return causes
    .filter(({ tone }) => tone === 'bad' || tone === 'work')
    .sort((a, b) => ATTENTION[a.tone] - ATTENTION[b.tone] || order(a) - order(b) || b.hits.length - a.hits.length)
}

/** A plan that somebody can approve comes first. */
const order = ({ reason }: Cause): number => (reason === 'RemovalRefused' ? 0 : 1)

const rankOf = ({ app, tone }: AppPart): number => (app?.plan?.reason === 'RemovalRefused' ? -1 : ATTENTION[tone])

const worst = (tones: readonly Tone[]): Tone => TONES.find((tone) => tones.includes(tone)) ?? 'ok'

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.min(a, b))
}
