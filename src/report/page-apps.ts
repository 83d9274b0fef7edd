import { certificateLife, lifeOf } from '../check/certificate.ts'
import type { AppStatus } from '../status/status.ts'
import { type Hole, type Html, html } from './html.ts'
import { appLink, type Column, mark, pager, type TableContext, TONE_WORDS, table, time } from './page-parts.ts'
import { isFiltered } from './page-query.ts'
import type { ListPage } from './page-select.ts'
import type { AppPart } from './page-view.ts'
import { verdict } from './words.ts'

const APP_COLUMNS: readonly Column<AppPart>[] = [
  { head: 'App', look: 'app', cell: ({ key, issues }) => [appLink(key), why(issues)] },
  { head: 'State', look: 'state', cell: ({ tone, app }) => html`${mark(tone)} ${word(tone, app)}` },
  { head: 'Hosts', look: 'hosts', small: 'hosts', cell: ({ app }) => app && hostsCell(app) },
  {
    head: 'Certificate',
    look: 'certificate',
    small: 'certificate',
    cell: ({ app }, { now }) => app && certificateWords(app, now),
  },
  {
    head: 'In sync',
    look: 'when',
    small: 'in sync',
    cell: ({ app }, { now }) => (app?.lastSuccess === undefined ? 'never' : time(app.lastSuccess, now)),
  },
]

/** A page of the list of apps. */
export function appList(list: ListPage<AppPart>, at: TableContext): Html {
  const { query } = at
  if (query.app !== undefined || (list.count === 0 && !isFiltered(query))) return html``
  return html`<h2 id="apps-title">Apps <span class="count">${list.count.toLocaleString('en')}</span></h2>
${list.count === 0 ? html`<p class="none">No app is left by this filter.</p>` : table('apps', APP_COLUMNS, list.shown, at)}
${pager(list, query, 'apps', 'app')}`
}

/** What an app's certificate is good for. */
export function certificateWords({ certificate }: AppStatus, now: number): Hole {
  const end = certificate?.notAfter
  if (certificate === undefined || end === undefined) return html`<span class="dim">none</span>`
  const missing = certificate.uncovered.length
  const covers =
    missing === 0 ? html`<span class="dim">covers all</span>` : html`<b class="work">${missing} not covered</b>`
  return html`${end <= now ? 'ended' : 'ends'} ${time(end, now)}, ${renewalNote(certificate, now)}${covers}`
}

/** What is said of a renewal that did not come. */
function renewalNote(certificate: NonNullable<AppStatus['certificate']>, now: number): Html | undefined {
  const life = lifeOf(certificate)
  const stands = life && certificateLife(life, now)
  if (stands !== 'Overdue' && stands !== 'Urgent') return undefined
  return html`<b class="work">renewal ${stands.toLowerCase()}</b>, `
}

function hostsCell({ domains: { observed, desired } }: AppStatus): Html {
  if (observed === desired) return html`${observed}`
  return html`${observed} <span class="dim">observed,</span> ${desired} <span class="dim">desired</span>`
}

/** In a word: kubectl's, where an app was looked at. */
const word = (tone: AppPart['tone'], app: AppStatus | undefined): string =>
  app === undefined || app.conditions.length === 0 ? TONE_WORDS[tone] : verdict(app.conditions).word

/** By their names: the cards say what they mean, and so does the app in full. */
const why = (issues: AppPart['issues']): Hole =>
  issues.length > 0 && html`<span class="why">${issues.map(({ reason }) => reason).join(', ')}</span>`
