import { conditionOf } from '../status/conditions.ts'
import type { AppStatus, MappingStatus, Status } from '../status/status.ts'
import { type Html, html, prose } from './html.ts'
import { appBlock, COUNTS, mark, OPEN, tableHead, time } from './page-app.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'
import { byAttention, counted, cureOf, isoOf, overview, verdict } from './words.ts'

/** What the address of the page asks for. */
interface PageQuery {
  /** Part of a host name or of a key; empty for everything. */
  search: string
  /** Key of the one app to show in full. */
  app?: string | undefined
}

/** Rows of hosts on the whole page, so that it stays light with 30,000 of them; one app by itself is shown in full. */
const ROWS = 1_500
const FEWEST_ROWS = 5
const MAPPING_ROWS = 50

/**
 * The status page: complete without JavaScript, self-contained, every value escaped. The times are relative to
 * `status.generatedAt`.
 */
export function renderPage(status: Status, query: PageQuery): string {
  return [...pagePieces(status, query)].join('')
}

/** The page in pieces, one for each app, so that other work can go on in between. */
export function* pagePieces(status: Status, query: PageQuery): Generator<string> {
  const search = query.search.trim().toLowerCase()
  const chosen = status.apps.filter((app) => query.app === undefined || app.key === query.app)
  const apps = byAttention(chosen.filter((app) => search === '' || finds(app, search)))
  const { tone, text } = overview(status)
  const asOf = isoOf(status.generatedAt)
  const single = query.app !== undefined
  const view = {
    now: status.generatedAt,
    kubernetes: status.source.name === 'kubernetes',
    rows: single ? Number.POSITIVE_INFINITY : Math.max(FEWEST_ROWS, Math.floor(ROWS / Math.max(1, apps.length))),
    search,
    single,
  }
  const isOpen = (app: AppStatus): boolean =>
    single || search !== '' || chosen.length <= 3 || (chosen.length <= 20 && isTroubled(app))
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text} · domainpilot</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<style>${raw(PAGE_STYLE)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<a class="skip" href="#apps">To the apps</a>
<header class="top">
<p class="brand"><a href="/">domainpilot</a> <span class="dim">${status.version}</span></p>
<p class="live dim" data-live id="clock"><span class="fresh">as of <time datetime="${asOf}">${asOf.slice(11, 19)} UTC</time></span></p>
<p class="stale" id="stale" role="status" hidden>No answer from domainpilot: what you see is old.</p>
</header>
<main>
<div data-live id="overview">
<h1>${mark(tone)} ${text}</h1>
${figures(status)}
${banners(status)}
</div>
${status.apps.length > 0 || search !== '' ? searchForm(query) : ''}
<section id="apps" aria-label="Apps" data-list tabindex="-1">
`.html
  for (const app of apps) yield appBlock(app, { ...view, open: isOpen(app) }).html
  yield html`
${apps.length === 0 && html`<div id="nothing" data-live>${nothing(status, query)}</div>`}
</section>
<div data-live id="mappings">${troubledMappings(status, query, search)}</div>
</main>
<footer class="dim">
<p>The same as data: <a href="/status.json">status.json</a>, <a href="/metrics">metrics</a>. In a terminal: <code>domainpilot status</code>, <code>domainpilot explain HOST</code>.</p>
</footer>
<script>${raw(PAGE_SCRIPT)}</script>
</body>
</html>
`.html
}

const ICON = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#1a6b45"/><path d="M4.5 8.2 7 10.7l4.5-5" fill="none" stroke="#fff" stroke-width="1.8"/></svg>',
)

/** For the two texts that are part of the program. */
const raw = (text: string): Html => ({ html: text })

const isTroubled = (app: AppStatus): boolean => verdict(app.conditions).tone === 'bad' || app.plan !== undefined

const finds = ({ key, appId, hosts }: AppStatus, search: string): boolean =>
  [key, appId].some((text) => text.toLowerCase().includes(search)) || hosts.some(({ name }) => name.includes(search))

function figures(status: Status): Html {
  const sumOf = (kind: (typeof COUNTS)[number]) => status.apps.reduce((sum, app) => sum + app.domains[kind], 0)
  const { name, synced, failure } = status.source
  const read = synced ? html`${mark('ok')} synced` : html`${mark('work')} not read yet`
  return html`<dl class="figures">
${status.apps.length > 0 && COUNTS.map((kind) => html`<div><dt>${kind}</dt><dd>${sumOf(kind).toLocaleString('en')}</dd></div>`)}
<div><dt>source ${name}</dt><dd class="words">${failure === undefined ? read : html`${mark('bad')} failed`}</dd></div>
<div><dt>this replica</dt><dd class="words">${status.leader ? 'leads' : 'stands by'}${status.dryRun && ', dry run'}</dd></div>
</dl>`
}

function banners(status: Status): Html {
  const { source } = status
  return html`${
    !status.leader &&
    html`<p class="banner quiet"><strong>Standby.</strong> Another replica leads and does the work; this one waits to take over and knows little.</p>`
  }${
    status.dryRun &&
    html`<p class="banner work"><strong>Dry run.</strong> Plans are made and shown. Nothing is written to ServerPilot.</p>`
  }${
    source.failure !== undefined &&
    html`<p class="banner bad"><strong>Source ${source.name} failed.</strong> ${prose(source.failure)} <span class="dim">· While this lasts, nothing that it claimed is removed.</span></p>`
  }${
    source.faults.length > 0 &&
    html`<details class="banner bad" id="faults" open><summary><strong>${counted(source.faults.length, 'fault')}</strong> in ${source.name}</summary>
<ul class="faults">${source.faults.slice(0, 50).map((fault) => html`<li><code>${fault.place}</code> ${prose(fault.message)}</li>`)}</ul>
${source.faults.length > 50 && html`<p>… and ${source.faults.length - 50} more: <code>domainpilot validate PATH</code> lists them all.</p>`}</details>`
  }`
}

function searchForm(query: PageQuery): Html {
  return html`<form class="search" role="search" action="/" method="get">
<label for="q">Find a host or an app</label>
<input type="search" id="q" name="q" value="${query.search}" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="shop.example.com">
${query.app !== undefined && html`<input type="hidden" name="app" value="${query.app}"><a class="back" href="/">All apps</a>`}
<button type="submit">Find</button>
</form>`
}

function nothing(status: Status, query: PageQuery): Html {
  if (status.apps.length > 0) {
    return html`<p class="empty">Nothing here matches ${query.search ? html`<q>${query.search}</q>` : html`<code>${query.app ?? ''}</code>`}. <a href="/">Show all apps</a></p>`
  }
  if (!status.leader) return html`<p class="empty">A standby knows no apps. Look at the replica that leads.</p>`
  if (!status.source.synced) return html`<p class="empty">Source ${status.source.name} was not read yet.</p>`
  return html`<div class="empty">
<h2>Nothing is declared yet</h2>
<ol>
<li>See that the account can be reached: <pre><code>domainpilot check</code></pre></li>
<li>Write down what ServerPilot has now, so that the first plan changes nothing: <pre><code>domainpilot import &gt; domains/network.yaml</code></pre></li>
<li>Add a domain: <pre><code>apiVersion: domainpilot.dev/v1alpha1
kind: DomainMapping
metadata: {name: shop}
spec: {domain: shop.example.com, appRef: {name: network}}</code></pre></li>
<li>Look at what would happen: <pre><code>domainpilot plan</code></pre></li>
</ol>
<p class="dim">This page notices by itself.</p>
</div>`
}

function troubledMappings(status: Status, query: PageQuery, search: string): Html | '' {
  const matches = (mapping: MappingStatus) =>
    (query.app === undefined || mapping.app === query.app) &&
    (search === '' || `${mapping.key} ${mapping.domain} ${mapping.app}`.toLowerCase().includes(search))
  const troubled = byAttention(status.mappings.filter((one) => verdict(one.conditions).tone !== 'ok' && matches(one)))
  if (troubled.length === 0) return ''
  return html`<details class="mappings" id="troubled"${troubled.length <= 12 && OPEN}>
<summary><h2>${counted(troubled.length, 'mapping')} not ready</h2></summary>
<table role="table">
${tableHead(['Domain', 'State', 'Mapping, app', 'Why'])}
<tbody role="rowgroup">${troubled.slice(0, MAPPING_ROWS).map((mapping) => mappingRow(mapping, status.generatedAt))}</tbody>
</table>
${troubled.length > MAPPING_ROWS && html`<p class="more">… and ${troubled.length - MAPPING_ROWS} more: <code>domainpilot status</code> lists them all.</p>`}
</details>`
}

function mappingRow(mapping: MappingStatus, now: number): Html {
  const { tone, word, reason, message } = verdict(mapping.conditions)
  const since = conditionOf(mapping, 'Ready')?.lastTransitionTime
  const cure = cureOf(reason)
  return html`<tr role="row"><td role="cell" class="host">${mapping.domain}</td>
<td role="cell" class="state">${mark(tone)} ${word}${since !== undefined && html` <span class="dim">${time(since, now)}</span>`}</td>
<td role="cell" class="mono dim">${mapping.key}<br>→ ${mapping.app}<br>${mapping.place}</td>
<td role="cell"><strong>${reason}</strong> ${prose(message)}${cure && html`<span class="cure">${prose(cure)}</span>`}</td></tr>`
}
