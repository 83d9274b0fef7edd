import { type Hole, type Html, html, prose } from './html.ts'
import { linkTo, type PageQuery } from './page-query.ts'
import type { ListPage } from './page-select.ts'
import { counted, cureOf, dateOf, isoOf, lasting, relative, SIGNS, type Tone } from './words.ts'

/** The attribute of what is not folded. */
export const OPEN: Html = { html: ' open' }

/** The attribute of the filter that is on. */
export const CURRENT: Html = { html: ' aria-current="true"' }

/** What a tone asks of whoever looks. */
export const TONE_WORDS: Record<Tone, string> = { bad: 'Needs you', work: 'Waits', ok: 'Well', quiet: 'Left alone' }

/** The sign of a tone. The word beside it says the same. */
export function mark(tone: Tone): Html {
  return html`<span class="mark ${tone}" aria-hidden="true">${SIGNS[tone]}</span>`
}

/** A time as distance, with the exact one on hovering. */
export const time = (epoch: number | undefined, now: number): Html | undefined => timeAs(epoch, now, relative)

/** How long it has been so: `for 3 h`, with the exact time of the beginning on hovering. */
export const since = (epoch: number | undefined, now: number): Html | undefined => timeAs(epoch, now, lasting)

function timeAs(epoch: number | undefined, now: number, words: typeof relative): Html | undefined {
  const iso = epoch === undefined ? '' : isoOf(epoch)
  if (epoch === undefined || iso === '') return undefined
  return html`<time datetime="${iso}" title="${dateOf(epoch, true)}">${words(epoch, now)}</time>`
}

/** What to do about a reason, where there is something. */
export function cure(reason: string): Html | undefined {
  const text = cureOf(reason)
  return text === '' ? undefined : html`<p class="cure">${prose(text)}</p>`
}

/** `3 apps`, `1 app · 16 hosts`; a count of none is left out. */
export const amounts = (apps: number, hosts: number): string =>
  [apps > 0 ? counted(apps, 'app') : [], hosts > 0 ? counted(hosts, 'host') : []].flat().join(' · ')

/** A column of a table; `small` stands before a cell where the screen has no room for heads. */
export interface Column<T> {
  head: string
  /** Classes of its cells. */
  look: string
  small?: string
  cell: (row: T, at: TableContext) => Hole
}

/** What cells have to know beside their row. */
export interface TableContext {
  /** Epoch ms. */
  now: number
  query: PageQuery
}

/** A table that becomes a list of cards where the screen is narrow. The first cell of a row is its heading. */
export function table<T>(name: string, columns: readonly Column<T>[], rows: readonly T[], at: TableContext): Html {
  // Explicit roles, since a table that is laid out otherwise loses its own in some browsers.
  const heads = columns.map(({ head }) => html`<th scope="col" role="columnheader">${head}</th>`)
  const cells = (row: T) =>
    columns.map(({ look, small, cell }, index) => {
      const content = html`${cell(row, at)}`
      const label = small && content.html !== '' && html`<span class="label" aria-hidden="true">${small}</span>`
      return index === 0
        ? html`<th scope="row" role="rowheader" class="${look}">${content}</th>`
        : html`<td role="cell" class="${look}">${label}${content}</td>`
    })
  return html`<table role="table" class="list ${name}" aria-labelledby="${name}-title">
<thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${cells(row)}</tr>\n`)}</tbody>
</table>`
}

/** Links to the other pages of a list; nothing where there is one alone. `field`: the page of which list. */
export function pager<T>(list: ListPage<T>, query: PageQuery, field: 'page' | 'apps', noun: string): Html | undefined {
  if (list.pages === 1) return undefined
  const to = (page: number, text: string, rel: string, on: boolean) =>
    on
      ? html`<a href="${linkTo({ ...query, [field]: page })}#${noun}s" rel="${rel}">${text}</a>`
      : html`<span class="off">${text}</span>`
  return html`<nav class="pager" aria-label="Pages of ${noun}s">
${to(list.page - 1, '‹ Previous', 'prev', list.page > 1)}
<span>page ${list.page.toLocaleString('en')} of ${list.pages.toLocaleString('en')}</span>
${to(list.page + 1, 'Next ›', 'next', list.page < list.pages)}
</nav>`
}

/** A link to one app, its namespace in the background. */
export function appLink(key: string, query: Partial<PageQuery> = {}): Html {
  const slash = key.lastIndexOf('/') + 1
  return html`<a class="app" href="${linkTo({ ...query, app: key })}"><span class="ns">${key.slice(0, slash)}</span>${key.slice(slash)}</a>`
}

/** The text in at most so many characters. */
export function short(message: string, most: number): string {
  return message.length <= most ? message : `${[...message.slice(0, most - 2)].slice(0, -1).join('')}…`
}
