import type { Key } from '../api/objects.ts'
import type { Tone } from './words.ts'

/** What the address of the page asks for: each part is a filter but for the two pages. */
export interface PageQuery {
  tone?: Tone | undefined
  app?: Key | undefined
  reason?: string | undefined
  /** Part of a host name in either form, or of a key; empty for everything. */
  search: string
  /** Page of the list of hosts, from 1. */
  page: number
  /** Page of the list of apps, from 1. */
  apps: number
}

/** The whole page. */
export const EVERYTHING: PageQuery = { search: '', page: 1, apps: 1 }

/** How a tone is called in an address. */
const STATES = { bad: 'act', work: 'wait', ok: 'well', quiet: 'aside' } as const satisfies Record<Tone, string>

/** Longest search that is looked for, in characters. */
const MAX_SEARCH = 300

/** Reads the query string of an address. Total: what it does not know it leaves out. */
export function readQuery(asked: URLSearchParams): PageQuery {
  const state = asked.get('state')
  return {
    tone: (Object.keys(STATES) as Tone[]).find((tone) => STATES[tone] === state),
    app: asked.get('app') ?? undefined,
    reason: asked.get('reason') || undefined,
    search: (asked.get('q') ?? '').slice(0, MAX_SEARCH),
    page: pageNumber(asked.get('page')),
    apps: pageNumber(asked.get('apps')),
  }
}

/** What a query has in an address, by name; what says nothing is not there. */
export function fieldsOf({ tone, app, reason, search, page, apps }: PageQuery): [name: string, value: string][] {
  return [
    ...(tone === undefined ? [] : [['state', STATES[tone]] as [string, string]]),
    ...(app === undefined ? [] : [['app', app] as [string, string]]),
    ...(reason === undefined ? [] : [['reason', reason] as [string, string]]),
    ...(search === '' ? [] : [['q', search] as [string, string]]),
    ...(apps === 1 ? [] : [['apps', String(apps)] as [string, string]]),
    ...(page === 1 ? [] : [['page', String(page)] as [string, string]]),
  ]
}

/** A link to the page with this query: relative, so that it stays below the prefix of a proxy. */
export const linkTo = (query: Partial<PageQuery>): string =>
  `?${new URLSearchParams(fieldsOf({ ...EVERYTHING, ...query }))}`

/** Whether anything is left out. */
export const isFiltered = ({ tone, app, reason, search }: PageQuery): boolean =>
  tone !== undefined || app !== undefined || reason !== undefined || search.trim() !== ''

const pageNumber = (text: string | null): number => (text !== null && /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1)
