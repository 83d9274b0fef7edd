import type { Forecast } from '../check/limits.ts'
import { groupBy } from '../domain/group-by.ts'
import { displayHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import type { RejectedMapping } from './desired.ts'
import { type Change, type Plan, writes } from './plan.ts'

/** A plan as `plan -o json` prints it: scripts rely on the names. `certificates`: what the changes cost of the authority's limits. */
export function planToJson(plan: Plan, rejected: readonly RejectedMapping[], forecast?: Forecast) {
  return {
    app: plan.app,
    appId: plan.appId,
    policy: plan.policy,
    hash: plan.hash,
    changes: plan.changes,
    kept: plan.kept,
    foreign: plan.foreign,
    held: [...plan.held].map(([host, { reason, message, until }]) => ({
      host,
      reason,
      message,
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    })),
    ...(plan.refused === undefined ? {} : { refused: plan.refused }),
    rejectedMappings: rejected.map(({ mapping, reason, message }) => ({ mapping: mapping.key, reason, message })),
    ...(forecast === undefined ? {} : { certificates: forecastToJson(forecast) }),
  }
}

const forecastToJson = ({ verdict, message, at }: Forecast) => ({
  verdict,
  message,
  ...(verdict === 'Go' ? {} : { at: new Date(at).toISOString() }),
})

/** Marks a piece of text: added, removed, quiet, bad. The command line gives colours, everything else gives the text back. */
export type Paint = (kind: 'add' | 'remove' | 'quiet' | 'bad' | 'strong', text: string) => string

/** How a change is painted, and what stands before its host. */
const LOOK: Record<Change['action'], { paint: 'add' | 'remove' | 'quiet'; sign: string }> = {
  add: { paint: 'add', sign: '+' },
  remove: { paint: 'remove', sign: '-' },
  adopt: { paint: 'quiet', sign: '= adopt' },
  release: { paint: 'quiet', sign: '~ release' },
}

/** A plan as a diff for people: a header, a line per change, what is held back, the figures. Ends without a newline. */
export function planToText(
  plan: Plan,
  rejected: readonly RejectedMapping[],
  colour: Paint = (_, text) => text,
  forecast?: Forecast,
): string {
  // What a mapping or ServerPilot calls itself stays within its line.
  const paint: Paint = (kind, text) => colour(kind, visible(text))
  const lines = [paint('strong', `${plan.app} (${plan.appId}, ${plan.policy})`)]
  for (const { action, host, mapping } of plan.changes) {
    const why = mapping === undefined ? '' : `  (${mapping})`
    lines.push(paint(LOOK[action].paint, `  ${LOOK[action].sign} ${displayHost(host)}${why}`))
  }
  for (const line of heldLines(plan)) lines.push(paint('quiet', line))
  for (const { mapping, reason, message } of rejected) {
    lines.push(paint('bad', `  ! mapping ${mapping.key}: ${reason}: ${message}`))
  }
  if (plan.refused !== undefined) lines.push(paint('bad', `  ${plan.refused.reason}: ${plan.refused.message}`))
  if (forecast !== undefined) {
    lines.push(paint(forecast.verdict === 'Go' ? 'quiet' : 'bad', `  certificate authority: ${forecast.message}`))
  }
  lines.push(paint('quiet', `  ${figures(plan)}`))
  return lines.join('\n')
}

/** Hosts shown by name before the rest is only counted. */
const SHOWN = 10

/** What is held back, a line per reason and message. */
function heldLines(plan: Plan): string[] {
  const byHost = [...plan.held].sort(([a], [b]) => (a < b ? -1 : 1))
  const groups = groupBy(
    byHost,
    ([, { reason, message, of }]) => `  ! ${reason}: ${of === 'addition' ? 'not added' : 'stays'}: ${message}`,
  )
  return [...groups].flatMap(([group, hosts]) => {
    const more = hosts.length > SHOWN ? [`      and ${hosts.length - SHOWN} more`] : []
    return [group, ...hosts.slice(0, SHOWN).map(([host]) => `      ${displayHost(host)}`), ...more]
  })
}

function figures(plan: Plan): string {
  const parts = [
    `${plan.additions.length} to add`,
    `${plan.removals.length} to remove`,
    `${plan.kept} kept`,
    `${plan.foreign.length} foreign`,
  ]
  if (plan.waiting.length > 0) parts.push(`${plan.waiting.length} removal(s) waiting, hash ${plan.hash}`)
  return writes(plan) ? parts.join(', ') : `nothing to write: ${parts.slice(2).join(', ')}`
}
