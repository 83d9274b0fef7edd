import type { PageQuery } from './page-query.ts'
import { type AppPart, type HostRow, type PageView, TONES } from './page-view.ts'

/** One page of a list. */
export interface ListPage<T> {
  shown: readonly T[]
  /** Of the whole list. */
  count: number
  /** From 1; the last one where a later one was asked for. */
  page: number
  pages: number
}

/** What a query leaves of the view. */
export interface Selection {
  apps: ListPage<AppPart>
  hosts: ListPage<HostRow>
}

const APPS_A_PAGE = 25
const HOSTS_A_PAGE = 50

/** The apps and hosts that a query asks for, a page of each, what needs attention first. Pure. */
export function select(view: PageView, query: PageQuery): Selection {
  const finds = finder(query.search)
  const parts = view.parts.filter(({ key }) => query.app === undefined || key === query.app)
  const hosts = TONES.filter((tone) => query.tone === undefined || tone === query.tone).flatMap((tone) =>
    parts.flatMap(({ rows }) => rows[tone].filter((row) => hasReason(row, query.reason) && finds.host(row))),
  )
  const apps = parts.filter((part) => {
    if (part.app === undefined || (query.tone !== undefined && part.tone !== query.tone)) return false
    if (query.reason !== undefined && !part.touched.has(query.reason)) return false
    return finds.app(part) || TONES.some((tone) => part.rows[tone].some(finds.host))
  })
  return { apps: pageOf(apps, query.apps, APPS_A_PAGE), hosts: pageOf(hosts, query.page, HOSTS_A_PAGE) }
}

function pageOf<T>(list: readonly T[], asked: number, size: number): ListPage<T> {
  const pages = Math.max(1, Math.ceil(list.length / size))
  const page = Math.min(asked, pages)
  return { shown: list.slice((page - 1) * size, page * size), count: list.length, page, pages }
}

const hasReason = ({ issues }: HostRow, reason: string | undefined): boolean =>
  reason === undefined || issues.some((issue) => issue.reason === reason)

/** What a search finds: hosts by either form of their name, and by the keys of their mapping and app; apps by key and id. */
function finder(search: string) {
  const { part, whole } = wanted(search)
  const has = (text: string | undefined): boolean => {
    const found = text?.toLowerCase()
    return found !== undefined && (found.includes(part) || (whole !== undefined && found.endsWith(whole)))
  }
  const everything = part === ''
  return {
    host: ({ host, unicode, app, mapping }: HostRow): boolean =>
      everything || has(host.name) || has(unicode) || has(app) || has(mapping?.key ?? host.mapping),
    app: ({ key, app }: AppPart): boolean => everything || has(key) || has(app?.appId),
  }
}

/** Scheme, user and password, then a name with a dot, then port, path and query. */
const ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^/?#@]*@)?([^/?#:@]*\.[^/?#:@]*)(?:[:/?#].*)?$/

/**
 * The part of a name that is looked for: as it is typed, whatever keyboard it was, or copied out of an address. `whole`: what names end in
 * where a dot stands at its end, as DNS writes whole names.
 */
function wanted(search: string): { part: string; whole: string | undefined } {
  const text = search.trim().toLowerCase().normalize('NFC')
  const part = ADDRESS.exec(text)?.[1] ?? text
  return { part, whole: /[^.]\.$/.test(part) ? part.slice(0, -1) : undefined }
}
