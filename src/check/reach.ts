import { backOff } from '../time/back-off.ts'
import type { Handshake } from './served.ts'

const MINUTE = 60_000

/** The first pause after a server could not be reached, and the longest; ms. */
const PAUSES = { first: 15 * MINUTE, longest: 6 * 60 * MINUTE } as const

/** Which servers handshakes are worth trying with. */
export type Reach = ReturnType<typeof createReach>

/** Knows nothing yet. A firewall between here and a server is one fact, and not one for each of its hosts. Times in epoch ms. */
export function createReach() {
  const closed = new Map<string, { until: number; pause: number; failures: number }>()
  return {
    worthTrying(address: string, now: number): boolean {
      const shut = closed.get(address)
      // Further away than the pause: the clock was set back meanwhile.
      return shut === undefined || now >= shut.until || shut.until - now > shut.pause
    },
    /** Takes in how it went. */
    note(address: string, handshake: Handshake, now: number): void {
      if (!isUnreachable(handshake)) {
        closed.delete(address)
        return
      }
      const before = closed.get(address)
      // Several handshakes may have been under way when the first one failed.
      if (before !== undefined && now < before.until && before.until - now <= before.pause) return
      const failures = (before?.failures ?? 0) + 1
      const pause = backOff(PAUSES, failures)
      closed.set(address, { until: now + pause, pause, failures })
    },
  }
}

/** No connection at all; a server that speaks and has no certificate for a name is reached. */
function isUnreachable(handshake: Handshake): boolean {
  return handshake.kind === 'unseen' && ['Refused', 'Timeout', 'Unreachable'].includes(handshake.why)
}
