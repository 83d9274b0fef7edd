import { codeOf } from '../kubernetes/api.ts'
import { LEASE_TIMINGS } from '../kubernetes/lease-state.ts'
import { messageOf } from '../log/message-of.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { unlessAborted } from '../time/within.ts'
import type { Cluster } from './cluster.ts'
import { calledAs, type Io } from './io.ts'
import { granting } from './own-rights.ts'

const LOOK_EVERY = 500
/** A holder that says nothing for its whole term is dead; some more time for the tries of ours. ms. */
const PATIENCE = LEASE_TIMINGS.duration + 3 * LEASE_TIMINGS.retryPeriod

/**
 * Takes the daemon's Lease for one pass, so that nobody writes beside it. False: a daemon leads, which shows by its renewing the
 * Lease. Throws when the Lease can neither be taken nor be seen to be held, with the right that is missing.
 */
export async function takeLead(
  io: Io,
  { elector, lease, namespace }: Pick<Cluster, 'elector' | 'lease' | 'namespace'>,
  clock: Clock = systemClock,
): Promise<boolean> {
  // --leader-elect=false: then a second writer is the user's own affair.
  if (elector === undefined || lease === undefined) return true
  const read = async () => (await unlessAborted(io.signal, () => lease.read()))?.record
  const first = await read().catch((error: unknown) => {
    io.signal.throwIfAborted()
    throw noLease(io, namespace, error)
  })
  let leads = false
  elector.onLeading(() => {
    leads = true
  })
  elector.start()
  for (const deadline = clock.steady() + PATIENCE; clock.steady() < deadline && !leads; ) {
    // A namespace that does not exist will not come by waiting.
    if (codeOf(elector.failure()) === 404) throw noLease(io, namespace, elector.failure())
    const now = await read()
    const foreign = now !== undefined && now.holder !== '' && now.holder === first?.holder
    if (foreign && now.renewTime !== first?.renewTime) return false
    await clock.sleep(LOOK_EVERY, io.signal)
  }
  if (leads) return true
  throw noLease(io, namespace, elector.failure() ?? new Error(`the Lease ${lease.name} could not be taken`))
}

function noLease(io: Io, namespace: string, cause: unknown): Error {
  const words = messageOf(cause)
  if (codeOf(cause) === 404) return new Error(`Nothing was applied: ${words}.`, { cause })
  const grant = granting({ namespace, verbs: 'get,watch,create,update', resources: ['leases.coordination.k8s.io'] })
  return new Error(
    `Nothing was applied: ${words}.\n→ ${grant} The daemon's namespace is ${namespace}; name another with --record-namespace. \`${calledAs(io)} plan\` needs no Lease.`,
    { cause },
  )
}
