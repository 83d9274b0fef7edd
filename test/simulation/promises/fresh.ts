import type { Write } from '../serverpilot.ts'
import type { World } from '../world.ts'

/** A slow ServerPilot takes up to 20 s for a reading; a claim is noted before the write. */
const FRESH = 25_000

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
