import type { Status } from '../status/status.ts'
import { type Html, html, prose } from './html.ts'
import { appDetail } from './page-app.ts'
import { appList } from './page-apps.ts'
import { causeCards } from './page-causes.ts'
import { hostList } from './page-hosts.ts'
import { CURRENT, mark, type TableContext, TONE_WORDS } from './page-parts.ts'
import { EVERYTHING, fieldsOf, isFiltered, linkTo, type PageQuery } from './page-query.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { type Selection, select } from './page-select.ts'
import { PAGE_STYLE } from './page-style.ts'
import { COUNTS, type PageView, TONES } from './page-view.ts'
import { counted, isoOf, type Tone } from './words.ts'

/** Faults of a source that are shown. */
const FAULTS = 50

/**
 * The status page: complete without JavaScript, self-contained, every value escaped, every link relative. `now`: epoch ms; times are
 * relative to it. Pure.
 */
export function renderPage(view: PageView, query: PageQuery, now: number): string {
  const at: TableContext = { now, query }
  const { status, headline } = view
  const chosen = query.app === undefined ? undefined : view.parts.find(({ key }) => key === query.app)
  const selection = select(view, query)
  const asOf = isoOf(now)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${headline.text} · domainpilot</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<style>${raw(PAGE_STYLE)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<a class="skip" href="#results">To what is found</a>
<header class="top">
<p class="brand"><a href="${linkTo(EVERYTHING)}">domainpilot</a> <span class="dim">${status.version}</span></p>
<p class="live dim" data-live id="clock"><span class="fresh">as of <time datetime="${asOf}">${asOf.slice(11, 19)} UTC</time></span></p>
<p class="stale" id="stale" role="status" hidden>No answer from domainpilot: what you see is old.</p>
</header>
<main>
<div data-live id="overview">
<h1>${mark(headline.tone)} ${headline.text}</h1>
${figures(view)}
${banners(status)}
${tiles(view, query)}
</div>
${(view.parts.length > 0 || isFiltered(query)) && searchForm(query)}
<div data-live id="filters">${filters(query)}</div>
<div id="results" tabindex="-1">
<div data-live id="causes">${causeCards(view, at)}</div>
<section data-live id="app" aria-label="App">${chosen && appDetail(chosen, at, status.source.name === 'kubernetes')}</section>
<section data-live id="apps" aria-label="Apps">${appList(selection.apps, at)}</section>
<section data-live id="hosts" aria-label="Hosts">${hostList(selection.hosts, at)}${nothing(view, query, selection)}</section>
</div>
</main>
<footer class="dim">
<p>The same as data: <a href="status.json">status.json</a>, <a href="metrics">metrics</a>. In a terminal: <code>domainpilot status</code>, <code>domainpilot explain HOST</code>.</p>
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

function figures({ status, domains, parts }: PageView): Html {
  const { name, synced, failure } = status.source
  const read = synced ? 'synced' : html`${mark('work')} not read yet`
  const sums =
    parts.length > 0 &&
    COUNTS.map((kind) => html`<div><dt>${kind}</dt><dd>${domains[kind].toLocaleString('en')}</dd></div>`)
  return html`<dl class="figures">
<div><dt>source ${name}</dt><dd>${failure === undefined ? read : html`${mark('bad')} failed`}</dd></div>
<div><dt>this replica</dt><dd>${status.leader ? 'leads' : 'stands by'}${status.dryRun && ', dry run'}</dd></div>
${sums}
</dl>`
}

function banners({ source, leader, dryRun }: PageView['status']): Html {
  return html`${
    !leader &&
    html`<p class="banner quiet"><strong>Standby.</strong> Another replica leads and does the work; this one waits to take over and knows little.</p>`
  }${
    dryRun &&
    html`<p class="banner work"><strong>Dry run.</strong> Plans are made and shown. Nothing is written to ServerPilot.</p>`
  }${
    source.failure !== undefined &&
    html`<p class="banner bad"><strong>Source ${source.name} failed.</strong> ${prose(source.failure)} <span class="dim">· While this lasts, nothing that it claimed is removed.</span></p>`
  }${source.faults.length > 0 && faults(source)}`
}

function faults({ name, faults: found }: Status['source']): Html {
  return html`<details class="banner bad" id="faults" open><summary><strong>${counted(found.length, 'fault')}</strong> in ${name}</summary>
<ul class="faults">${found.slice(0, FAULTS).map((fault) => html`<li><code>${fault.place}</code> ${prose(fault.message)}</li>`)}</ul>
${found.length > FAULTS && html`<p>… and ${found.length - FAULTS} more: <code>domainpilot validate PATH</code> lists them all.</p>`}</details>`
}

/** How many apps and hosts want what: each is a filter, and the one that is on leads back. */
function tiles({ counts, parts }: PageView, query: PageQuery): Html | undefined {
  if (parts.length === 0) return undefined
  const tile = (tone: Tone): Html => {
    const { apps, hosts } = counts[tone]
    const many = (count: number, noun: string): Html =>
      html` <span class="many${count === 0 && ' none'}"><b>${count.toLocaleString('en')}</b> ${noun}${count !== 1 && 's'}</span>`
    const content = html`<span class="tone">${mark(tone)} ${TONE_WORDS[tone]}</span>${many(apps, 'app')}${many(hosts, 'host')}`
    if (query.tone === tone)
      return html`<a class="${tone}" href="${linkTo({ ...query, tone: undefined, page: 1, apps: 1 })}"${CURRENT}>${content}</a>`
    if (apps + hosts === 0) return html`<span class="${tone} off">${content}</span>`
    return html`<a class="${tone}" href="${linkTo({ tone })}">${content}</a>`
  }
  return html`<nav aria-label="Filter by state"><ul class="tiles">${TONES.map((tone) => html`<li>${tile(tone)}</li>\n`)}</ul></nav>`
}

function searchForm(query: PageQuery): Html {
  const kept = fieldsOf({ ...query, search: '', page: 1, apps: 1 })
  return html`<form class="search" role="search" method="get">
<label for="q">Find a host or an app</label>
<input type="search" id="q" name="q" value="${query.search}" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="shop.example.com">
${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button type="submit">Find</button>
</form>`
}

/** The filters that are on, each with a link that takes it off. */
function filters(query: PageQuery): Html | undefined {
  if (!isFiltered(query)) return undefined
  const on: [name: string, value: string | undefined, without: Partial<PageQuery>][] = [
    ['state', query.tone && TONE_WORDS[query.tone], { tone: undefined }],
    ['app', query.app, { app: undefined }],
    ['reason', query.reason, { reason: undefined }],
    ['search', query.search.trim() || undefined, { search: '' }],
  ]
  const chips = on.map(
    ([name, value, without]) =>
      value !== undefined &&
      html`<li><a href="${linkTo({ ...query, ...without, page: 1, apps: 1 })}" title="Take this filter off"><span class="dim">${name}</span> ${value} <span aria-hidden="true">×</span><span class="hidden"> take this filter off</span></a></li>\n`,
  )
  return html`<ul class="chips" aria-label="Filters">${chips}<li class="all"><a href="${linkTo(EVERYTHING)}">Show everything</a></li></ul>`
}

function nothing({ status, parts }: PageView, query: PageQuery, { apps, hosts }: Selection): Html | undefined {
  if (apps.count + hosts.count > 0 || (parts.length > 0 && !isFiltered(query))) return undefined
  if (parts.length > 0)
    return html`<p class="empty">Nothing here matches ${query.search.trim() ? html`<q>${query.search.trim()}</q>` : 'this filter'}. <a href="${linkTo(EVERYTHING)}">Show everything</a></p>`
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
