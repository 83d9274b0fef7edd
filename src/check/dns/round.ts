import { inParallel } from '../../time/pool.ts'
import type { AddressSet } from './addresses.ts'
import type { Dns, Failure } from './ask.ts'
import type { DnsVerdict } from './judge.ts'
import { checkHost } from './lookup.ts'
import { advance, probeResolver, QUIET, type Run, suspicion } from './outage.ts'
import { createPrefixes } from './translation.ts'

/** One host to look at. */
export interface HostToCheck {
  host: string
  /** Addresses that are right for its app. */
  expected: AddressSet
}

/** How a round goes. */
export interface RoundOptions<Target extends HostToCheck> {
  dns: Dns
  /** Lookups under way at a time, at least 1. How fast questions go out is the resolver's pace. */
  concurrency: number
  /** Hosts that resolved lately, two or three, of different domains: when lookups fail, these show whose fault it is. */
  controls: readonly string[]
  /** The last round ended in an outage: probe it first. */
  suspicious: boolean
  /** Gets each verdict as it comes: a round over many hosts takes long. */
  onVerdict(target: Target, verdict: DnsVerdict): void
}

/**
 * Looks hosts up, in order, some at a time. Ends early when the resolver is down, and gives why: verdicts that came of that are not
 * handed out. Rejects when the resolver's signal aborts, or with what `onVerdict` throws.
 */
export async function checkRound<Target extends HostToCheck>(
  hosts: Iterable<Target>,
  options: RoundOptions<Target>,
): Promise<Failure | undefined> {
  const { dns, concurrency, controls, onVerdict } = options
  if (options.suspicious) {
    const first = await probeResolver(dns, controls)
    if ('down' in first) return first.down
  }
  const prefixes = createPrefixes(dns)
  let run: Run = QUIET
  /** Not handed out yet: failures may turn out to be the resolver's. */
  const doubtful: [Target, DnsVerdict][] = []
  let probe: ReturnType<typeof probeResolver> | undefined
  let outage: Failure | undefined
  let broken = false

  function release(): void {
    for (const [target, verdict] of doubtful.splice(0)) {
      if (broken) return
      try {
        onVerdict(target, verdict)
      } catch (error) {
        broken = true
        throw error
      }
    }
  }

  async function examine(): Promise<void> {
    probe ??= probeResolver(dns, controls)
    const found = await probe
    probe = undefined
    if ('down' in found) outage ??= found.down
    else if (run.domains.size > 0) run = { ...run, probed: found.probed }
  }

  await inParallel(hosts, concurrency, async (target) => {
    if (outage !== undefined) return
    const verdict = await checkHost(dns, target.host, target.expected, prefixes)
    run = advance(run, target.host, verdict)
    doubtful.push([target, verdict])
    if (verdict.failure === undefined) return release()
    const suspected = suspicion(run)
    if (suspected === 'Outage') outage ??= verdict.failure
    if (suspected === 'Ask') await examine()
  })
  // Few hosts, and none was answered: only a probe shows whose fault that is.
  if (outage === undefined && doubtful.length > 0 && run.probed === 'No') await examine()
  if (outage === undefined) release()
  return outage
}
