import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { Clock } from '../../time/clock.ts'

/** Where servers are: what hosts have to resolve to. */
export interface ServerAddresses {
  /** The address of a server; undefined while ServerPilot knows none. Throws `ServerPilotError` when it cannot be asked and was never known. */
  of(account: ServerPilot, serverId: string, signal: AbortSignal): Promise<string | undefined>
}

/** A server rarely moves; one that was never connected gets its address once it is. ms. */
const KEPT = { known: 3_600_000, unknown: 60_000 } as const

/** A failure counts only where no address was ever known. */
function addressIn({ address, failure }: { address: string | undefined; failure?: unknown }): string | undefined {
  if (address === undefined && failure !== undefined) throw failure
  return address
}

/** Remembers addresses for a while. */
export function createServerAddresses(clock: Pick<Clock, 'now'>): ServerAddresses {
  const known = new Map<string, { address: string | undefined; at: number; failure?: unknown }>()
  return {
    async of(account, serverId, signal) {
      const key = `${account.account} ${serverId}`
      const before = known.get(key)
      const now = clock.now()
      const kept = before?.address === undefined || before.failure !== undefined ? KEPT.unknown : KEPT.known
      if (before !== undefined && now >= before.at && now - before.at < kept) return addressIn(before)
      try {
        const { lastAddress } = await account.getServer(serverId, signal)
        known.set(key, { address: lastAddress, at: now })
        return lastAddress
      } catch (error) {
        signal.throwIfAborted()
        // Not asked again for each of its apps: an API that is silent would hold every look up.
        const after = { address: before?.address, at: now, failure: error }
        known.set(key, after)
        return addressIn(after)
      }
    },
  }
}
