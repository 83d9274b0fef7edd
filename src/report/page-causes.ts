import { groupBy } from '../domain/group-by.ts'
import { isReason, REASONS } from '../status/reasons.ts'
import type { AppStatus } from '../status/status.ts'
import { type Html, html, prose } from './html.ts'
import { amounts, appLink, cure, mark, short, since, type TableContext } from './page-parts.ts'
import { planBlock } from './page-plan.ts'
import { linkTo, type PageQuery } from './page-query.ts'
import type { AppPart, Cause, PageView, Touched } from './page-view.ts'
import { counted } from './words.ts'

/** On a card: so many different messages, so many apps of each, so many plans in full, so many characters of a message. */
const MESSAGES = 3
const APPS = 8
const PLANS = 3
const CHARACTERS = 600

/** A card for each cause that a query asks for: what a person must do first, then what waits. */
export function causeCards({ causes, status }: PageView, at: TableContext): Html {
  const { query } = at
  if (query.app !== undefined || query.search.trim() !== '') return html``
  const shown = causes.filter(
    ({ reason, tone }) =>
      (query.reason === undefined || reason === query.reason) && (query.tone === undefined || tone === query.tone),
  )
  const kubernetes = status.source.name === 'kubernetes'
  const section = (tone: 'bad' | 'work', title: string): Html | undefined => {
    const those = shown.filter((cause) => cause.tone === tone)
    if (those.length === 0) return undefined
    return html`<section class="causes" aria-labelledby="causes-${tone}">
<h2 id="causes-${tone}">${title} <span class="count">${those.length}</span></h2>
${those.map((cause) => card(cause, at, kubernetes))}
</section>`
  }
  return html`${section('bad', 'Needs you')}${section('work', 'Waits')}`
}

type WithPlan = AppStatus & { plan: NonNullable<AppStatus['plan']> }

/** A plan that waits for a person stands in the card; one that will go in by itself need not. */
const isToApprove = (app: AppStatus | undefined, reason: string): app is WithPlan =>
  reason === 'RemovalRefused' && app?.plan?.reason === reason

type Hit = Cause['hits'][number]

function card(cause: Cause, at: TableContext, kubernetes: boolean): Html {
  const { reason, tone, hits, hosts } = cause
  const apps = hits.filter(({ part }) => part.app !== undefined).length
  const plans = hits
    .flatMap(({ part: { app } }) => (isToApprove(app, reason) ? { app, plan: app.plan } : []))
    .slice(0, PLANS)
  const id = `cause-${reason}`
  return html`<article class="cause ${tone}" aria-labelledby="${id}">
<header><h3 id="${id}">${mark(tone)} ${prose(isReason(reason) ? REASONS[reason].summary : reason)}</h3>
<p class="meta"><code>${reason}</code> <a href="${linkTo({ reason })}">${amounts(apps, hosts) || counted(hits.length, 'mapping')}</a> <span class="dim">${since(cause.since, at.now)}</span></p></header>
${plans.length > 0 ? plans.map(({ app, plan }) => html`<div class="planned"><p>${appLink(app.key)}</p>${planBlock(app.key, plan, kubernetes)}</div>`) : html`${said(cause, at.query)}${cure(reason)}`}
${plans.length > 0 && hits.length > plans.length && html`<p><a href="${linkTo({ reason })}">and ${counted(hits.length - plans.length, 'app')} more</a></p>`}
</article>`
}

/** The messages, those of one shape together with everybody who has it. */
function said({ reason, hits }: Cause, query: PageQuery): Html {
  const groups = [...groupBy(hits, ({ touched }) => shapeOf(touched.issue.message)).values()].sort(
    (a, b) => b.length - a.length,
  )
  const most = query.reason === undefined ? MESSAGES : 3 * MESSAGES
  const rest = groups.slice(most).flat().length
  return html`<ul class="said">${groups
    .slice(0, most)
    .map(
      (those) => html`<li>${those.length === 1 && those[0] ? one(those[0]) : many(reason, those)}</li>`,
    )}</ul>${rest > 0 && html`<p class="rest"><a href="${linkTo({ reason })}">and ${rest} more with other words</a></p>`}`
}

function one({ part, touched }: Hit): Html {
  return html`<p class="message">${target(part)} ${where(touched)} ${prose(short(touched.issue.message, CHARACTERS))}</p>`
}

/** Apps whose messages are of one shape: they may differ in figures and names. */
function many(reason: string, hits: readonly Hit[]): Html {
  const message = hits[0]?.touched.issue.message ?? ''
  const differ = hits.some(({ touched }) => touched.issue.message !== message)
  const rest = hits.length - APPS
  return html`<p class="message">${differ && html`<span class="dim">For example:</span> `}${prose(short(message, CHARACTERS))}</p>
<ul class="who" aria-label="Apps">${hits.slice(0, APPS).map(({ part, touched }) => html`<li>${target(part)} ${where(touched)}</li> `)}${
    rest > 0 && html`<li><a href="${linkTo({ reason })}">and ${rest.toLocaleString('en')} more</a></li>`
  }</ul>`
}

const target = ({ key, app }: AppPart): Html =>
  app === undefined ? html`<span class="app">${key || 'no app'}</span>` : appLink(key)

/** The one host that it is, or how many of the app. */
function where({ own, hosts: [first, ...others] }: Touched): Html | undefined {
  // An app that says it itself names its hosts in its message.
  if (first === undefined || (own && others.length === 0)) return undefined
  const text = others.length > 0 ? counted(others.length + 1, 'host') : (first.unicode ?? first.host.name)
  return html`<span class="dim at">${text}</span>`
}

/** The same for messages that differ in figures, names and ids alone. */
function shapeOf(message: string): string {
  return message
    .replace(/(?:[\p{L}\p{N}_*-]+\.)+[\p{L}\p{N}-]+/gu, '@')
    .replace(/\b[A-Za-z0-9]*\d[A-Za-z0-9]*\b/g, '#')
    .replace(/\b[\w-]+\/[\w-]+\b/g, '@')
}
