import type { App } from '../../api/objects.ts'
import { type AddressSet, addressSet } from '../../check/dns/addresses.ts'
import type { Whereabouts } from '../../check/facts.ts'
import { ServerPilotError } from '../../serverpilot/errors.ts'
import type { ServerPilot } from '../../serverpilot/serverpilot.ts'
import type { Context } from '../context/context.ts'

/** A server rarely moves; one that was never connected gets its address once it is. ms. */
const KEPT = { known: 3_600_000, unknown: 60_000 } as const

/** The addresses that are right for hosts of the app: its server's, when it is known, and those that its object names. */
export function rightAddresses(app: App, address: string | undefined): AddressSet {
  return addressSet([...(address === undefined ? [] : [address]), ...app.spec.dns.expectedAddresses])
}

/**
 * Gives the function that says where the hosts of an app have to lead; addresses of servers are remembered for a while. It gives
 * undefined before the first reconcile of the app, and throws when the account is not known.
 */
export function createWhereabouts({ ports, memory }: Context) {
  const known = new Map<string, { address: string | undefined; at: number; failure: unknown }>()

  /** Undefined while ServerPilot knows none. Throws `ServerPilotError` when it cannot be asked and was never known. */
  async function addressOf(account: ServerPilot, serverId: string, signal: AbortSignal): Promise<string | undefined> {
    const key = `${account.account} ${serverId}`
    const before = known.get(key)
    const now = ports.clock.now()
    const kept = before?.address === undefined || before.failure !== undefined ? KEPT.unknown : KEPT.known
    const isFresh = before !== undefined && now >= before.at && now - before.at < kept
    const entry = isFresh
      ? before
      : await account.getServer(serverId, signal).then(
          ({ lastAddress }) => ({ address: lastAddress, at: now, failure: undefined }),
          (failure: unknown) => {
            signal.throwIfAborted()
            // Not asked again for each of its apps: an API that is silent would hold every look up.
            return { address: before?.address, at: now, failure }
          },
        )
    known.set(key, entry)
    if (entry.address === undefined && entry.failure !== undefined) throw entry.failure
    return entry.address
  }

  return async (app: App, signal: AbortSignal): Promise<Whereabouts | undefined> => {
    const { seen, facts } = memory.checks.of(app.key)
    if (seen === undefined) return undefined
    const account = await ports.accountOf(app)
    try {
      const address = await addressOf(account, seen.serverId, signal)
      facts.where = { expected: rightAddresses(app, address), address }
    } catch (error) {
      if (!(error instanceof ServerPilotError)) throw error
      facts.where = { expected: rightAddresses(app, undefined), address: undefined, unsure: true }
    }
    return facts.where
  }
}
