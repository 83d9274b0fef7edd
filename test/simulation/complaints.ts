import { hostComplaints, mayBeHeld } from './hosts-complaints.ts'
import type { World } from './world.ts'

/** What is not as it has to be at rest. */
export function complaintsOf(world: World): string[] {
  const complaints = hostComplaints(world)
  const said = world.said()
  const all = [...world.declared.mappings.values()]
  for (const app of world.declared.apps.values()) {
    const { name, appId } = app
    const listed = new Set(world.serverpilot.listed(appId))
    const wanted = new Set(all.filter(({ app }) => app === name).map(({ domain }) => domain))
    const foreign = world.ledger.foreign(appId)
    const absent = [...wanted].filter((host) => !listed.has(host))
    const missing = absent.filter((host) => !mayBeHeld(world, app, host))
    const lost = [...foreign].filter((host) => !listed.has(host))
    const stays = [...listed].filter((host) => !wanted.has(host) && waitsElsewhere(world, host))
    const left = [...listed].filter(
      (host) =>
        !wanted.has(host) && !foreign.has(host) && !world.ledger.either(appId).has(host) && !stays.includes(host),
    )
    if (missing.length > 0) complaints.push(`${missing.join(', ')} missing on ${name}`)
    if (lost.length > 0) complaints.push(`${lost.join(', ')} of somebody else missing on ${name}`)
    if (left.length > 0) complaints.push(`${left.join(', ')} left on ${name}`)
    const synced = said.find((each) => each.name === name)?.synced
    const reason = synced?.reason ?? ''
    const isHeld =
      (absent.length > 0 && ['AwaitingDNS', 'ResolverFailed', 'Quarantined'].includes(reason)) ||
      (stays.length > 0 && reason === 'Progressing')
    if (synced?.status !== 'True' && !isHeld)
      complaints.push(`${name} is said to be ${synced?.reason ?? 'unknown'}: ${synced?.message ?? ''}`)
  }
  return complaints
}

/** A host that moves to an app where it waits for its DNS: the one that serves it keeps it until then. */
function waitsElsewhere(world: World, host: string): boolean {
  const mapping = [...world.declared.mappings.values()].find(({ domain }) => domain === host)
  const app = world.declared.apps.get(mapping?.app ?? '')
  return app !== undefined && !world.serverpilot.listed(app.appId).includes(host) && mayBeHeld(world, app, host)
}
