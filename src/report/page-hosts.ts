import { conditionOf } from '../status/conditions.ts'
import type { HostStatus } from '../status/host-status.ts'
import { type Hole, type Html, html, prose } from './html.ts'
import { appLink, type Column, mark, pager, short, type TableContext, table, time } from './page-parts.ts'
import { isFiltered, type PageQuery } from './page-query.ts'
import type { ListPage } from './page-select.ts'
import type { HostRow } from './page-view.ts'
import { dnsFault } from './words.ts'

/** Longest message beside a host; the app in full has the whole one. */
const MESSAGE = 240

/** The columns of the list of hosts. */
export const HOST_COLUMNS: readonly Column<HostRow>[] = [
  { head: 'Host', look: 'host', cell: (row) => [hostName(row), why(row)] },
  { head: 'State', look: 'state', cell: ({ tone, host }) => html`${mark(tone)} ${host.state}` },
  { head: 'DNS', look: 'dns', small: 'DNS', cell: dnsCell },
  { head: 'Certificate', look: 'certificate', small: 'certificate', cell: certificateCell },
  { head: 'Wanted by', look: 'wanted', small: 'wanted by', cell: wantedCell },
  { head: 'Since', look: 'when', small: 'since', cell: (row, { now }) => time(sinceOf(row), now) },
]

/** A page of the list of hosts. */
export function hostList(list: ListPage<HostRow>, at: TableContext): Html {
  const { query } = at
  if (list.count === 0 && !isFiltered(query)) return html``
  return html`<h2 id="hosts-title">Hosts <span class="count">${list.count.toLocaleString('en')}</span></h2>
${list.count === 0 ? html`<p class="none">${noHost(query)}</p>` : table('hosts', HOST_COLUMNS, list.shown, at)}
${pager(list, query, 'page', 'host')}`
}

/** A reason alone may be one that apps have and no host. */
function noHost({ reason, tone, search }: PageQuery): Html {
  if (reason === undefined || tone !== undefined || search.trim() !== '') return html`No host is left by this filter.`
  return html`No host says <code>${reason}</code> itself: it concerns whole apps.`
}

/** The name as people write it; the form that DNS has beside it, where that is another one. */
function hostName({ host, unicode, mapping }: HostRow): Html {
  const name = host.name || mapping?.key || ''
  if (unicode === undefined) return html`<span class="name">${name}</span>`
  return html`<span class="name"><bdi>${unicode}</bdi></span> <span class="ascii">${name}</span>`
}

/** What is not as it should be: the worst of it, and the other reasons by their names. */
function why({ issues, host }: HostRow): Hole {
  const [first, ...others] = issues
  if (first === undefined) return host.message && html`<span class="why">${prose(short(host.message, MESSAGE))}</span>`
  const also = others.map(({ reason }) => html` <span class="also">also <b>${reason}</b></span>`)
  return html`<span class="why"><b>${first.reason}</b> ${prose(short(first.message, MESSAGE))}${also}</span>`
}

function dnsCell({ host }: HostRow): Hole {
  const addresses = host.addresses?.join(', ')
  const fault = dnsFault(host)
  if (fault !== undefined)
    return html`${mark(fault.tone)} ${fault.state === 'Unknown' ? 'not known' : fault.state} <span class="mono">${addresses}</span>`
  if (host.dns === undefined && addresses === undefined) return html`<span class="dim">not looked at</span>`
  // What leads elsewhere and is not ours is nobody's fault here.
  if (host.dns?.state !== 'Ready') return html`<span class="mono">${addresses || host.dns?.state}</span>`
  return html`right <span class="mono">${addresses}</span>`
}

function certificateCell({ host, uncovered }: HostRow, { now }: TableContext): Hole {
  if (uncovered) return html`${mark('work')} not covered`
  const end = host.certificateNotAfter
  if (end === undefined) return html`<span class="dim">none</span>`
  return end <= now ? html`${mark('work')} ended ${time(end, now)}` : html`ends ${time(end, now)}`
}

function wantedCell({ host, mapping, app }: HostRow, { query }: TableContext): Hole {
  const on = query.app === undefined && app !== '' && html`on ${appLink(app)} `
  const place = mapping && html`<span class="place" title="${mapping.place}">${tailOf(mapping.place)}</span>`
  return html`${whoWants(host, mapping?.key)} <span class="origin">${on}${place}</span>`
}

/** The end of a long path: `…/domains/shop.yaml:6`. */
function tailOf(place: string): string {
  const parts = place.split('/')
  return parts.length <= 3 ? place : `…/${parts.slice(-2).join('/')}`
}

/** `key` is undefined where no mapping stands behind it. */
function whoWants({ state, mapping }: HostStatus, key: string | undefined): Html {
  if (key === undefined && state === 'leaving' && mapping !== undefined)
    return html`<span class="dim">nobody any more, last by</span> <span class="mono">${mapping}</span>`
  const wanted = key ?? mapping
  if (wanted !== undefined) return html`<span class="mono">${wanted}</span>`
  return html`<span class="dim">${state === 'foreign' ? 'nobody: not ours' : 'nobody any more'}</span>`
}

const sinceOf = ({ issues, mapping }: HostRow): number | undefined =>
  issues[0]?.since ?? conditionOf(mapping, 'Ready')?.lastTransitionTime
