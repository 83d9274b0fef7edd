import { isComputed } from '../status/condition-types.ts'
import type { HostStatus } from '../status/host-status.ts'
import type { AppStatus } from '../status/status.ts'
import { type Hole, type Html, html, prose } from './html.ts'
import { certificateWords } from './page-apps.ts'
import { cure, mark, since, type TableContext, time } from './page-parts.ts'
import { planBlock } from './page-plan.ts'
import { type AppPart, COUNTS } from './page-view.ts'
import { conditionTone, dnsFault, isWarning, verdict } from './words.ts'

/** One app in full: its plan, its figures and its conditions, each with what to do. `kubernetes`: kubectl can approve a plan too. */
export function appDetail({ key, app, tone }: AppPart, { now }: TableContext, kubernetes: boolean): Html {
  if (app === undefined)
    return html`<h2>${key || 'Without an app'}</h2><p class="none">There is no such app; the hosts below are declared for it and not served.</p>`
  const { word } = verdict(app.conditions)
  return html`<h2>${key}</h2>
<p class="verdict">${mark(tone)} ${app.conditions.length === 0 ? 'Not looked at yet' : word}</p>
${app.plan && planBlock(key, app.plan, kubernetes)}
${conditionList(app, now)}
${facts(app, now)}`
}

function facts(app: AppStatus, now: number): Html {
  const rows: [name: string, value: Hole][] = [
    ...COUNTS.map((kind): [string, Hole] => [kind, app.domains[kind]]),
    ['certificate', certificateWords(app, now)],
    ['DNS', dnsFact(app.hosts)],
    ['in sync', app.lastSuccess === undefined ? 'never' : time(app.lastSuccess, now)],
    ['last attempt', app.lastAttempt === undefined ? 'none' : time(app.lastAttempt, now)],
    ['policy', app.policy],
    ['app id', html`<span class="mono">${app.appId}</span>`],
    ['declared in', html`<span class="mono">${app.place}</span>`],
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

function dnsFact(hosts: readonly HostStatus[]): Hole {
  const looked = hosts.filter(({ dns, state }) => dns !== undefined && state !== 'foreign')
  if (looked.length === 0) return 'not looked at'
  const wrong = looked.filter((host) => dnsFault(host)?.tone === 'work').length
  return wrong === 0 ? 'no fault' : html`<b class="work">${wrong} of ${looked.length} wrong</b>`
}

function conditionList({ conditions, plan }: AppStatus, now: number): Html | '' {
  // The computed ones repeat what the others say; the head of the app has them as one word.
  const shown = conditions.filter((condition) => !isComputed(condition.type))
  if (shown.length === 0) return ''
  return html`<ul class="conditions" aria-label="Conditions">${shown.map((condition) => {
    const { type, status, reason, message, lastTransitionTime } = condition
    // The plan above says it already, with what to do.
    const repeats = plan !== undefined && plan.reason === reason
    return html`<li>
<span class="type">${mark(conditionTone(condition))} ${type} <span class="dim">${status}</span></span>
<div class="text"><p>${reason !== 'Succeeded' && html`<b>${reason}</b> `}${!repeats && prose(message)} <span class="dim">${since(lastTransitionTime, now)}</span></p>${(status !== 'True' || isWarning(condition)) && !repeats && cure(reason)}</div>
</li>`
  })}</ul>`
}
