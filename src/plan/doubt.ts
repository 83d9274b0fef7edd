import type { SafetySpec } from '../api/objects.ts'
import { compareKey, type Host } from '../domain/host.ts'

/** How often a list is read again before it is believed, and over how long. */
interface Reread {
  reads: number
  /** Milliseconds over which the reads are spread. */
  over: number
  message: string
}

/**
 * Doubt about a list that lost names since it was last seen: a list written on top of a wrong empty or stale answer would cost
 * foreign hosts. More than the removal share, or everything: three more reads over ten seconds. Less: one.
 * @param lastSeen canonical names of the last list that we believed; undefined when there was none
 */
export function doubt(
  lastSeen: readonly Host[] | undefined,
  observed: readonly string[],
  safety: SafetySpec,
): Reread | undefined {
  if (observed.length === 0) {
    return { reads: 3, over: 10_000, message: 'ServerPilot lists no domain at all for this app' }
  }
  if (lastSeen === undefined || lastSeen.length === 0) return undefined
  const present = new Set(observed.map(compareKey))
  const lost = lastSeen.filter((host) => !present.has(host)).length
  if (lost === 0) return undefined
  const message = `ServerPilot's list lacks ${lost} of the ${lastSeen.length} names that were there before`
  const severe = (lost * 100) / lastSeen.length > safety.maxRemovalPercent
  return severe ? { reads: 3, over: 10_000, message } : { reads: 1, over: 1_000, message }
}
