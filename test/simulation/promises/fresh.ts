import type { Write } from '../serverpilot.ts'
import type { World } from '../world.ts'

/** A slow ServerPilot takes 10 s for the way back of a reading; a claim is noted in between. */
const FRESH = 15_000

/** A write stands on a list that was read for it, not on what a sweep had seen before. */
export function watchFreshness({ serverpilot, ledger }: World): void {
  serverpilot.onWrite(({ life, appId, basis }: Write) => {
    const age = basis === undefined ? Number.POSITIVE_INFINITY : basis.sent - basis.asked
    if (age > FRESH)
      ledger.violate(
        'fresh',
        `${life.name} writes the list of ${appId} as it was read ${Math.round(age / 1000)} s before`,
      )
  })
}
