import type { Mapping } from '../api/objects.ts'
import { displayHost, type Host } from '../domain/host.ts'
import type { Held } from '../plan/held.ts'
import type { Said } from './conditions.ts'
import type { Outcome } from './outcome.ts'
import type { HostStatus } from './status.ts'

/** What `Synced` of an app says after a reconcile. Pure. */
export function syncedOf(outcome: Outcome): Said {
  const { failure, plan, frozen } = outcome
  if (outcome.result === 'Suspended') {
    return { status: 'Unknown', reason: 'Suspended', message: 'spec.suspend is true: nothing is read or written.' }
  }
  if (failure !== undefined) return { status: 'False', reason: failure.reason, message: failure.message }
  const [broken] = frozen
  if (broken !== undefined) {
    const message = `Source ${broken[0]}: ${broken[1]} Nothing is removed until it can be read again.`
    return { status: 'False', reason: 'SourceUnavailable', message }
  }
  if (plan === undefined) return { status: 'Unknown', reason: 'Progressing', message: 'Not looked at yet.' }
  if (plan.refused !== undefined) {
    const { reason, message } = plan.refused
    return { status: 'False', reason, message: `${message} Held back: ${listed(plan.waiting, 100)}.` }
  }
  if (outcome.result === 'Planned' && plan.changes.length > 0) {
    return {
      status: 'False',
      reason: 'DryRun',
      message: `${plan.changes.length} change(s) worked out and not written.`,
    }
  }
  return (
    heldBack([...plan.held.entries()]) ?? {
      status: 'True',
      reason: 'Succeeded',
      message: `${plan.kept} host(s) in place.`,
    }
  )
}

/** Changes that wait, a clause per reason; the reason of the first is the condition's. Undefined when nothing waits. */
function heldBack(held: readonly (readonly [Host, Held])[]): Said | undefined {
  const groups = new Map<string, { reason: Held['reason']; hosts: Host[] }>()
  for (const [host, { reason, message }] of held) {
    const group = groups.get(message) ?? { reason, hosts: [] }
    group.hosts.push(host)
    groups.set(message, group)
  }
  const [first] = groups.values()
  if (first === undefined) return undefined
  const clauses = [...groups].map(([message, { hosts }]) => clause(hosts, message))
  return { status: 'False', reason: first.reason, message: clauses.join('; ').replaceAll('.; ', '. ') }
}

/** Some messages begin with the name of their host: it is said once. */
function clause(hosts: readonly Host[], message: string): string {
  const [first] = hosts
  const said = hosts.length === 1 && first !== undefined && message.startsWith(displayHost(first))
  return said ? message : `${listed(hosts, 10)}: ${message}`
}

const listed = (hosts: readonly Host[], most: number): string =>
  hosts.slice(0, most).join(', ') + (hosts.length > most ? ` and ${hosts.length - most} more` : '')

/** What `Synced` of a mapping says; undefined when nobody knows. `own`: its hosts. Pure. */
export function mappingSynced(
  mapping: Mapping,
  outcome: Outcome,
  own: readonly HostStatus[],
  refused: boolean,
): Said | undefined {
  if (refused) return { status: 'False', reason: 'Progressing', message: 'Not accepted, so not served.' }
  if (outcome.result === 'Suspended') return syncedOf(outcome)
  if (own.length === 0) {
    const { failure } = outcome
    return failure === undefined ? undefined : { status: 'False', reason: failure.reason, message: failure.message }
  }
  const held = own.flatMap((host) => {
    const why = outcome.plan?.held.get(host.name as Host)
    return why === undefined ? [] : [[host.name as Host, why] as const]
  })
  const waits = heldBack(held)
  if (waits !== undefined) return waits
  // One that is on its way out is not asked for any more.
  const absent = own.find((host) => host.state !== 'present' && host.state !== 'leaving')
  if (absent === undefined) return { status: 'True', reason: 'Succeeded', message: '' }
  const { failure } = outcome
  if (failure !== undefined) return { status: 'False', reason: failure.reason, message: failure.message }
  const reason = outcome.result === 'Planned' ? 'DryRun' : 'Progressing'
  return { status: 'False', reason, message: `${absent.name} of ${mapping.domain} is not on the app yet.` }
}
