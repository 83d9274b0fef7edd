import type { Write } from '../serverpilot.ts'
import type { World } from '../world.ts'

/** Until both apps know of it. */
const KNOWN = 20_000

/** A host that moves to another app is there before it leaves: nobody who visits it meets a gap. */
export function watchMoves({ declared, serverpilot, databases, ledger, time }: World): void {
  const movedAt = new Map<string, number>()
  declared.onMap((_, domain) => void movedAt.set(domain, time.now()))
  serverpilot.onWrite(({ life, appId, after, basis }: Write) => {
    const kept = new Set(after)
    for (const host of basis?.had ?? []) {
      if (kept.has(host) || ledger.isApproved(appId, host)) continue
      const mapping = [...declared.mappings.values()].find(({ domain }) => domain === host)
      const to = declared.apps.get(mapping?.app ?? '')
      if (to === undefined || to.appId === appId || serverpilot.listed(to.appId).includes(host)) continue
      // Between an object that is gone and a row that is not read yet nobody wants it.
      if (databases.servers.has(appId) || databases.servers.has(to.appId)) continue
      if (time.now() - (movedAt.get(host) ?? time.now()) > KNOWN)
        ledger.violate('moves', `${life.name} takes ${host} off before ${to.name} has it, where it moves to`)
    }
  })
}
