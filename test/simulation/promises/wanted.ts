import type { DeclaredApp } from '../declared.ts'
import type { Write } from '../serverpilot.ts'
import type { World } from '../world.ts'

/** Until a mapping has reached a process whatever was in the way. */
const ARRIVED = 3 * 60_000

/** What has been wanted for long is not taken off, but where its DNS is wrong and right DNS is required. */
export function watchWanted({ declared, serverpilot, databases, ledger, time }: World): void {
  const mappedAt = new Map<string, number>()
  declared.onMap((appId, domain) => void mappedAt.set(`${appId} ${domain}`, time.now()))

  /** Whether a process had to know that the app wants this. */
  function isWanted({ name, appId }: DeclaredApp, host: string): boolean {
    const wants = [...declared.mappings.values()].some(({ app, domain }) => app === name && domain === host)
    return wants && time.now() - (mappedAt.get(`${appId} ${host}`) ?? time.now()) > ARRIVED
  }

  serverpilot.onWrite(({ life, appId, after, basis }: Write) => {
    const app = [...declared.apps.values()].find((each) => each.appId === appId)
    if (app === undefined || databases.servers.has(appId)) return
    // Of those hosts-ledger.ts knows more.
    if ((app.requireSince ?? app.quarantineSince) !== undefined) return
    const kept = new Set(after)
    for (const host of basis?.had ?? [])
      if (!kept.has(host) && isWanted(app, host) && !ledger.isApproved(appId, host))
        ledger.violate('wanted', `${life.name} removes ${host} from ${app.name}, where it is mapped`)
  })
}
