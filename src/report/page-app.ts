import { splitKey } from '../api/objects.ts'
import { certificateLife, lifeOf } from '../check/certificate.ts'
import { groupBy } from '../domain/group-by.ts'
import { isComputed } from '../status/condition-types.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { AppStatus } from '../status/status.ts'
import { type Hole, type Html, html, prose } from './html.ts'
import {
  conditionTone,
  counted,
  cureOf,
  dateOf,
  dnsFault,
  HOST_TONES,
  hostsByAttention,
  isoOf,
  relative,
  SIGNS,
  type Tone,
  verdict,
} from './words.ts'

/** How one app is shown. */
interface AppView {
  /** Epoch milliseconds. */
  now: number
  /** The objects are custom resources: kubectl can approve too. */
  kubernetes: boolean
  /** Most rows of hosts. */
  rows: number
  open: boolean
  /** Lower case; empty for all hosts. */
  search: string
  /** The only app on the page. */
  single: boolean
}

/** The attribute of what is not folded. */
export const OPEN: Html = { html: ' open' }

/** The numbers of hosts that are shown, in order. */
export const COUNTS = ['desired', 'observed', 'owned', 'foreign'] as const

/** The columns of the list of hosts. `look`: classes of a cell; `small`: stands before it where the screen has no room for heads. */
export const HOST_COLUMNS: readonly {
  head: string
  look: string
  width: string
  small?: string
  cell: (host: HostStatus, now: number) => Hole
}[] = [
  { head: 'Host', look: 'host', width: '35%', cell: (one) => [one.name, note(one.message ?? dnsFault(one)?.message)] },
  { head: 'State', look: 'state', width: '6.6rem', cell: ({ state }) => html`${mark(HOST_TONES[state])} ${state}` },
  { head: 'Mapping', look: 'mono dim', width: '22%', cell: ({ mapping }) => mapping },
  { head: 'Addresses', look: 'mono dim', width: 'auto', cell: (one) => [faultOf(one), one.addresses?.join(', ')] },
  {
    head: 'Certificate',
    look: 'dim',
    width: '7.2rem',
    small: 'certificate: ',
    cell: ({ certificateNotAfter: end }, now) => end !== undefined && time(end, now),
  },
]

const note = (text: string | undefined) => text && html`<span class="note">${prose(text)}</span>`

function faultOf(host: HostStatus): Hole {
  const fault = dnsFault(host)
  if (fault === undefined) return undefined
  return html`<span class="fault">${mark(fault.tone)} ${fault.state === 'Unknown' ? 'not known' : fault.state}</span> `
}

/** One app, folded or not. */
export function appBlock(app: AppStatus, view: AppView): Html {
  const id = encodeURIComponent(app.key)
  const { tone, word, reason, message } = verdict(app.conditions)
  const { namespace, name } = splitKey(app.key)
  const { desired, observed } = app.domains
  return html`<details class="app ${tone}" id="${view.search ? 'found' : 'app'}:${id}"${view.open && OPEN}>
<summary>
<span class="verdict">${mark(tone)} ${word}</span>
<span class="name"><span class="dim">${namespace}/</span><strong>${name}</strong>${
    tone !== 'ok' && html`<span class="why"><b>${reason}</b> ${prose(short(message))}</span>`
  }</span>
<span class="count">${
    observed === desired
      ? html`<b>${observed}</b> <span class="dim">host${observed !== 1 && 's'}</span>`
      : html`<b>${observed}</b> <span class="dim">observed,</span> <b>${desired}</b> <span class="dim">desired</span>`
  }</span>
<span class="when dim">${app.lastSuccess === undefined ? 'never in sync' : html`in sync ${time(app.lastSuccess, view.now)}`}</span>
</summary>
<div class="body">
${app.plan && planBlock(app, app.plan, view)}
${facts(app, view.now)}
${conditionList(app, view.now)}
${hostList(app, id, view)}
</div>
</details>`
}

/** The head of a table with these columns. */
export function tableHead(titles: readonly string[]): Html {
  const cells = titles.map((title) => html`<th scope="col" role="columnheader">${title}</th>`)
  return html`<thead role="rowgroup"><tr role="row">${cells}</tr></thead>`
}

/** The sign of a tone. The word beside it says the same. */
export function mark(tone: Tone): Html {
  return html`<span class="mark ${tone}" aria-hidden="true">${SIGNS[tone]}</span>`
}

/** A time as distance, with the exact one on hovering. */
export function time(epoch: number, now: number): Html {
  const iso = isoOf(epoch)
  if (iso === '') return html``
  return html`<time datetime="${iso}" title="${dateOf(epoch, true)}">${relative(epoch, now)}</time>`
}

function planBlock({ key }: AppStatus, plan: NonNullable<AppStatus['plan']>, { kubernetes }: AppView): Html {
  const { namespace, name } = splitKey(key)
  const waits = plan.reason === 'RemovalSettling'
  return html`<section class="plan" aria-label="Plan of ${key}">
<h3>${counted(plan.removals.length, 'removal')} ${waits ? 'will go in shortly' : plan.removals.length === 1 ? 'waits for you' : 'wait for you'}</h3>
<p><strong>${plan.reason}</strong> ${prose(plan.message)}</p>
<pre class="diff" tabindex="0" aria-label="Changes">${plan.diff
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => html`<span class="${diffClass(line)}">${line}\n</span>`)}</pre>
${
  waits
    ? html`<p class="dim">Plan <code>${plan.hash}</code>. Nothing to do.</p>`
    : html`<p>If that is what you want, approve exactly this plan, once:</p>
<div class="command"><pre><code>domainpilot apply --approve ${plan.hash}</code></pre></div>
${kubernetes && html`<p class="dim">or, in the cluster:</p><div class="command"><pre><code>kubectl annotate spapp --overwrite -n ${namespace} ${name} domainpilot.dev/approve-plan=${plan.hash}</code></pre></div>`}
<p class="dim">If not: bring the missing mappings back, and the plan goes away by itself.</p>`
}
</section>`
}

function diffClass(line: string): string {
  const sign = line.trimStart()[0]
  return sign === '+' ? 'plus' : sign === '-' || sign === '−' ? 'minus' : 'same'
}

function facts(app: AppStatus, now: number): Html {
  const { certificate, domains } = app
  return html`<dl class="facts">
${COUNTS.map((kind) => html`<div><dt>${kind}</dt><dd>${domains[kind]}</dd></div>\n`)}<div><dt>certificate</dt><dd>${
    certificate?.notAfter === undefined
      ? 'none'
      : html`${certificate.notAfter <= now ? 'ended' : 'ends'} ${time(certificate.notAfter, now)}, ${renewalNote(certificate, now)}${
          certificate.uncovered.length === 0 ? 'covers all' : html`<b>${certificate.uncovered.length} not covered</b>`
        }`
  }</dd></div>
<div><dt>DNS</dt><dd>${dnsFact(app.hosts)}</dd></div>
<div><dt>last attempt</dt><dd>${app.lastAttempt === undefined ? 'none' : time(app.lastAttempt, now)}</dd></div>
<div><dt>policy</dt><dd>${app.policy}</dd></div>
<div><dt>app id</dt><dd class="mono">${app.appId}</dd></div>
<div class="wide"><dt>declared in</dt><dd class="mono">${app.place}</dd></div>
</dl>`
}

/** What is said of a renewal that did not come. */
function renewalNote(certificate: NonNullable<AppStatus['certificate']>, now: number): Html | undefined {
  const life = lifeOf(certificate)
  const stands = life && certificateLife(life, now)
  if (stands !== 'Overdue' && stands !== 'Urgent') return undefined
  return html`<b>renewal ${stands.toLowerCase()}</b>, `
}

function dnsFact(hosts: readonly HostStatus[]): Html | string {
  const looked = hosts.filter(({ dns, state }) => dns !== undefined && state !== 'foreign')
  if (looked.length === 0) return 'not looked at'
  const wrong = looked.filter((host) => dnsFault(host)?.tone === 'work').length
  return wrong === 0 ? 'no fault' : html`<b>${wrong} of ${looked.length} wrong</b>`
}

function conditionList({ conditions, plan }: AppStatus, now: number): Html | '' {
  // The computed ones repeat what the others say; the head of the app has them as one word.
  const shown = conditions.filter((condition) => !isComputed(condition.type))
  if (shown.length === 0) return ''
  return html`<ul class="conditions" aria-label="Conditions">${shown.map((condition) => {
    const tone = conditionTone(condition)
    // The plan above says it already, with what to do.
    const repeats = plan !== undefined && plan.message === condition.message
    const cure = condition.status === 'True' || repeats ? '' : cureOf(condition.reason)
    return html`<li>
<span class="type">${mark(tone)} ${condition.type} <span class="status">${condition.status}</span></span>
<span class="text">${condition.reason !== 'Succeeded' && html`<b>${condition.reason}</b> `}<span>${!repeats && prose(condition.message)}</span> <span class="dim">${time(condition.lastTransitionTime, now)}</span>${cure && html`<span class="cure">${prose(cure)}</span>`}</span>
</li>`
  })}</ul>`
}

function hostList(app: AppStatus, id: string, view: AppView): Html {
  const { search } = view
  const matching = app.hosts.filter((host) => host.name.includes(search))
  // A search that found the app itself and none of its hosts means all of them.
  const found = hostsByAttention(matching.length > 0 ? matching : app.hosts)
  if (found.length === 0) return html`<p class="dim">No hosts.</p>`
  const hits = search !== '' && matching.length > 0
  const rows = found.slice(0, view.rows)
  const rest = found.length - rows.length
  const open = view.single || hits || found.length <= 12
  // Another id while searching, so that what was folded before does not stay folded over a hit.
  return html`<details class="hosts" id="${hits ? 'hits' : 'hosts'}:${id}"${open && OPEN}>
<summary>${hits ? `${counted(found.length, 'host')} found` : counted(found.length, 'host')} <span class="dim">${tally(found)}</span></summary>
<table role="table">
${tableHead(HOST_COLUMNS.map(({ head }) => head))}
<tbody role="rowgroup">${rows.map((host) => html`<tr role="row">${HOST_COLUMNS.map(({ look, cell }) => html`<td role="cell" class="${look}">${cell(host, view.now)}</td>`)}</tr>`)}</tbody>
</table>
${rest > 0 && html`<p class="more"><a href="/?app=${id}${search && `&q=${encodeURIComponent(search)}`}">Show all ${found.length} hosts of ${app.key}</a></p>`}
</details>`
}

/** `2 rejected, 240 present`. */
function tally(hosts: readonly HostStatus[]): string {
  return [...groupBy(hosts, ({ state }) => state)].map(([state, those]) => `${those.length} ${state}`).join(', ')
}

/** The head is one line; the whole message stands in the conditions. */
function short(message: string): string {
  return message.length <= 160 ? message : `${[...message.slice(0, 158)].slice(0, -1).join('')}…`
}
