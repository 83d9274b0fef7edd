import { displayHost, parseHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { partsOf } from '../status/condition-types.ts'
import { conditionOf } from '../status/conditions.ts'
import type { AppStatus, Condition, MappingStatus, Status } from '../status/status.ts'
import { type Cell, type Paint, painter, table, wrap } from './terminal.ts'
import { byAttention, conditionTone, counted, cureOf, overview, relative, SIGNS, verdict } from './words.ts'

interface TextOptions {
  colour: boolean
  /** Columns of the terminal; `Infinity` when it is none. */
  width: number
  /** Epoch ms; when not given, that of the status. */
  now?: number
  /** The command that approves the plan of an app; `domainpilot apply --approve HASH` when not given. */
  approve?: (app: AppStatus) => string
}

interface View extends TextOptions {
  now: number
  paint: Paint
}

/** The whole status for a terminal: headline, sources, apps, what waits or fails with its cure, mappings. Ends in a newline. */
export function statusText(status: Status, options: TextOptions): string {
  const paint = painter(options.colour)
  const view: View = { now: status.generatedAt, ...options, paint }
  const { tone, text } = overview(status)
  const blocks = [
    [
      paint(tone, `${SIGNS[tone]} ${text}`),
      ...(status.dryRun ? [paint('work', 'Dry run: nothing is written to ServerPilot.')] : []),
      ...(status.leader ? [] : [paint('quiet', 'Standby: another replica leads.')]),
      ...sourceLines(status, paint),
    ],
    appsText(status.apps, view),
    ...byAttention(status.apps).map((app) => attentionLines(app, view)),
    mappingsText(status.mappings, view),
  ]
  const filled = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'))
  return `${filled.join('\n\n')}\n`
}

/** Apps as a table, one line each; nothing for none. */
function appsText(apps: readonly AppStatus[], { now, width, paint }: View): string[] {
  const head = ['APP', 'STATE', 'HOSTS', 'OWNED', 'FOREIGN', 'CERTIFICATE', 'IN SYNC', 'REASON']
  const rows = byAttention(apps).map((app): Cell[] => {
    const { tone, word, reason } = verdict(app.conditions)
    const { certificate, domains } = app
    const never = app.lastAttempt === undefined ? '' : 'never'
    const uncovered = certificate?.uncovered.length ? `, ${certificate.uncovered.length} not covered` : ''
    return [
      { text: visible(app.key), as: 'strong' },
      { text: `${SIGNS[tone]} ${word}`, as: tone },
      { text: `${domains.observed}/${domains.desired}` },
      { text: String(domains.owned) },
      { text: String(domains.foreign) },
      { text: certificate?.notAfter === undefined ? '' : relative(certificate.notAfter, now) + uncovered },
      { text: app.lastSuccess === undefined ? never : relative(app.lastSuccess, now) },
      { text: tone === 'ok' ? '' : visible(app.plan?.reason ?? reason) },
    ]
  })
  return table(head, rows, width, paint)
}

/** Mappings as a table with a column per condition: `True`, or the reason why not; nothing for none. */
function mappingsText(mappings: readonly MappingStatus[], { now, width, paint }: View): string[] {
  const parts = partsOf('DomainMapping')
  const titles = parts.map(({ type, column = type }) => column.toUpperCase())
  const head = ['MAPPING', 'DOMAIN', 'READY', ...titles, 'EXPIRES', 'ADDRESSES']
  const rows = byAttention(mappings).map((mapping): Cell[] => {
    const { tone, word } = verdict(mapping.conditions)
    const expiry = Math.min(...mapping.hosts.map((host) => host.certificateNotAfter ?? Number.POSITIVE_INFINITY))
    const addresses = [...new Set(mapping.hosts.flatMap((host) => host.addresses ?? []))]
    return [
      { text: visible(mapping.key), as: 'strong' },
      { text: visible(displayDomain(mapping.domain)) },
      { text: `${SIGNS[tone]} ${word}`, as: tone },
      ...parts.map(({ type }) => conditionCell(conditionOf(mapping, type))),
      { text: Number.isFinite(expiry) ? relative(expiry, now) : '' },
      { text: visible(addresses.join(', ')), as: 'quiet' },
    ]
  })
  return table(head, rows, width, paint)
}

/** A domain with its ASCII form beside it; as it is written where there is no other form. */
function displayDomain(domain: string): string {
  const parsed = parseHost(domain)
  return parsed.ok && parsed.host.includes('xn--') ? displayHost(parsed.host) : domain
}

/** An app that does not simply work: why, the plan that waits, and what to do. */
function attentionLines(app: AppStatus, { width, approve: command, paint }: View): string[] {
  const { tone, reason, message } = verdict(app.conditions)
  if (tone === 'ok' && app.plan === undefined) return []
  const { plan } = app
  const shownReason = plan?.reason ?? reason
  const head = `${paint('strong', visible(app.key))}  ${paint(tone, visible(shownReason))}`
  const lines = [head, ...wrap(visible(plan?.message ?? message), width, '  ')]
  if (plan === undefined) return [...lines, ...wrap(cureOf(reason) && `→ ${cureOf(reason)}`, width, '  ')]

  const removals = plan.removals.slice(0, 10).map((host) => paint('bad', `  - ${visible(displayHost(host))}`))
  if (plan.removals.length > 10) removals.push(`  … and ${counted(plan.removals.length - 10, 'more removal')}`)
  const approve = `  Approve exactly these, once: ${paint('strong', visible(command?.(app) ?? `domainpilot apply --approve ${plan.hash}`))}`
  return [...lines, ...removals, ...(plan.reason === 'RemovalSettling' ? [] : [approve])]
}

function sourceLines({ source }: Status, paint: Paint): string[] {
  const name = visible(source.name)
  return [
    ...(source.failure === undefined ? [] : [paint('bad', `Source ${name} failed: ${visible(source.failure)}`)]),
    ...(source.synced || source.failure !== undefined ? [] : [paint('work', `Source ${name} was not read yet.`)]),
    ...source.faults.map((fault) => `${paint('bad', visible(fault.place))}: ${visible(fault.message)}`),
  ]
}

function conditionCell(condition: Condition | undefined): Cell {
  if (condition === undefined) return { text: '' }
  const text = condition.status === 'True' ? 'True' : visible(condition.reason)
  return { text, as: conditionTone(condition) }
}
