import { splitKey } from '../api/objects.ts'
import type { AppStatus } from '../status/status.ts'
import { type Html, html, prose } from './html.ts'
import { counted } from './words.ts'

/** The plan of an app that waits: why, the changes, and how to approve them. `kubernetes`: kubectl can approve too. */
export function planBlock(key: string, plan: NonNullable<AppStatus['plan']>, kubernetes: boolean): Html {
  const { namespace, name } = splitKey(key)
  const waits = plan.reason === 'RemovalSettling'
  return html`<section class="plan" aria-label="Plan of ${key}">
<p class="title">${counted(plan.removals.length, 'removal')} ${waits ? 'will go in shortly' : plan.removals.length === 1 ? 'waits for you' : 'wait for you'}</p>
<p>${prose(plan.message)}</p>
<pre class="diff" tabindex="0" role="group" aria-label="Changes of ${key}">${plan.diff
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => html`<span class="${diffClass(line)}">${line}\n</span>`)}</pre>
${
  waits
    ? html`<p class="dim">Plan <code>${plan.hash}</code>. Nothing to do.</p>`
    : html`<p>If that is what you want, approve exactly this plan, once:</p>
<div class="command"><pre><code>domainpilot apply --approve ${plan.hash}</code></pre></div>
${kubernetes && html`<p>or, in the cluster:</p><div class="command"><pre><code>kubectl annotate spapp --overwrite -n ${namespace} ${name} domainpilot.dev/approve-plan=${plan.hash}</code></pre></div>`}
<p class="dim">If not: bring the missing mappings back, and the plan goes away by itself.</p>`
}
</section>`
}

function diffClass(line: string): string {
  const sign = line.trimStart()[0]
  return sign === '+' ? 'plus' : sign === '-' || sign === '−' ? 'minus' : 'same'
}
