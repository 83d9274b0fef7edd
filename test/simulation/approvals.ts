import type { World } from './world.ts'

/** Somebody looks at what waits for approval, and approves it. Gives what to tell of it. */
export function approveWaiting(world: World): string[] {
  const told: string[] = []
  for (const { name, appId, hash } of world.said()) {
    if (hash === undefined || world.approved.has(hash)) continue
    const foreign = world.ledger.foreign(appId)
    const ours = world.serverpilot.listed(appId).filter((host) => !foreign.has(host))
    world.ledger.approved(appId, ours)
    world.approve(name, hash)
    told.push(`somebody approves plan ${hash} of ${name}`)
  }
  return told
}
