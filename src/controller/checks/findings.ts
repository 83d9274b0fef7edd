import type { Key } from '../../api/objects.ts'
import type { DnsVerdict } from '../../check/dns/judge.ts'
import { type HostMemory, remember, trust } from '../../check/dns/memory.ts'
import { noteServed } from '../../check/facts.ts'
import type { LookObserver } from '../../check/look.ts'
import { registrableDomain } from '../../domain/host.ts'
import type { Context } from '../context/context.ts'
import type { AppTarget } from './targets.ts'

/** Puts what looks find into the memory of each app, and knows for which apps it is a change. */
export interface Findings {
  observer: LookObserver<AppTarget>
  /** Apps of which something else is known now; the one who notifies them clears it. */
  changed: Set<Key>
  /** Hosts that resolved lately, of different domains: they distinguish an outage of the resolver from faults of domains. */
  controls(): string[]
  /** Takes in what an earlier leader found out. `rightSince`: epoch ms; undefined for hosts that were not right. */
  recall(
    app: Key,
    hosts: readonly { name: string; addresses: readonly string[] }[],
    rightSince: number | undefined,
  ): void
}

/** A fault of what is served is looked at again after this time before it counts; ms. */
const SECOND_LOOK = 60_000
/** One that counts is looked at this often, to see it repaired; ms. */
const REPAIR_LOOK = 15 * 60_000
/** So many verdicts are shared at the most; then it begins again. */
const SHARED = 1_000
const CONTROLS = 3

/** Nobody can say whether a host leads to the server, while ServerPilot does not say where that is. */
function withoutServer(verdict: DnsVerdict): DnsVerdict {
  const { state, failure, message: found } = verdict
  if (state === 'Ready' || state === 'NoRecords' || failure !== undefined) return verdict
  const cause = 'It cannot be judged: ServerPilot does not say where the server is.'
  // `Unknown` for want of an address says that ServerPilot knows none, which nobody has heard.
  const message = state === 'Unknown' ? cause : `${cause} ${found}`
  return { ...verdict, state: 'Unknown', message }
}

/** Makes one that has found nothing yet. */
export function createFindings(context: Context): Findings {
  const { clock } = context.ports
  const { checks } = context.memory
  const controls: string[] = []
  const right = new Map<string, DnsVerdict>()
  const changed = new Set<Key>()

  const observer: LookObserver<AppTarget> = {
    dns({ app, host, uncovered }, found) {
      const { facts } = checks.of(app)
      const verdict = facts.where?.unsure ? withoutServer(found) : found
      const before = facts.dns.get(host)
      const after = shareRight(remember(before, host, verdict, clock.now()))
      facts.dns.set(host, after)
      if (!uncovered) facts.caa.delete(host)
      if (before?.shown !== after.shown) changed.add(app)
      if (after.shown.state === 'Ready') noteControl(host)
    },
    caa({ app, host }, verdict) {
      const { facts } = checks.of(app)
      if (facts.caa.get(host)?.message !== verdict.message) changed.add(app)
      facts.caa.set(host, verdict)
    },
    served({ app, host }, verdict) {
      const { facts } = checks.of(app)
      if (noteServed(facts, host, verdict, clock.now())) changed.add(app)
      const [dns, fault] = [facts.dns.get(host), facts.served.get(host)]
      if (dns === undefined || fault === undefined) return
      const pause = fault.looks === 1 ? SECOND_LOOK : REPAIR_LOOK
      facts.dns.set(host, { ...dns, dueAt: Math.min(dns.dueAt, clock.now() + pause) })
    },
  }

  /** One verdict for all hosts that are right at the same address: there may be 30,000. */
  function shareRight(memory: HostMemory): HostMemory {
    const { shown } = memory
    if (shown.state !== 'Ready') return memory
    const where = shown.addresses.join()
    if (right.size >= SHARED) right.clear()
    if (!right.has(where)) right.set(where, shown)
    return { ...memory, shown: right.get(where) ?? shown }
  }

  function noteControl(host: string): void {
    const domain = registrableDomain(host)
    if (controls.some((each) => registrableDomain(each) === domain)) return
    controls.unshift(host)
    controls.length = Math.min(controls.length, CONTROLS)
  }

  return {
    observer,
    changed,
    controls: () => [...controls],
    recall(app, hosts, rightSince) {
      const { dns } = checks.of(app).facts
      for (const { name, addresses } of hosts) {
        if (rightSince === undefined) dns.delete(name)
        else dns.set(name, shareRight(trust(name, addresses, rightSince, clock.now())))
      }
    },
  }
}
