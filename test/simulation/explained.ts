import type { Explanation } from '../../src/cli/explanation.ts'
import type { World } from './world.ts'

/** Asks `explain` for a host that is wanted and for one of somebody else, and gives what is not so in its answers. */
export async function wrongExplanations(world: World): Promise<string[]> {
  const wrong: string[] = []
  for (const { host, appId, whose } of hostsToAsk(world)) {
    const printed = await world.explain(host)
    const fault = faultIn(printed, appId, whose)
    if (fault !== undefined) wrong.push(`explain ${host}: ${fault}: ${printed}`)
  }
  return wrong
}

interface Asked {
  host: string
  appId: string
  whose: 'wanted' | 'foreign'
}

function hostsToAsk({ declared, ledger, serverpilot, cluster }: World): Asked[] {
  const wanted = [...declared.mappings.values()].flatMap(({ app, domain }) => {
    const appId = declared.apps.get(app)?.appId
    // Not one that waits for its DNS.
    if (appId === undefined || !serverpilot.listed(appId).includes(domain)) return []
    return [{ host: domain, appId, whose: 'wanted' } as const]
  })
  const asked: Asked[] = wanted.slice(-1)
  // In a cluster the objects alone are asked, which know nothing of others.
  if (cluster !== undefined) return asked
  for (const each of declared.apps.values()) {
    const [host] = ledger.foreign(each.appId)
    if (host !== undefined) return [...asked, { host, appId: each.appId, whose: 'foreign' }]
  }
  return asked
}

function faultIn(printed: string, appId: string, whose: Asked['whose']): string | undefined {
  const { apps } = JSON.parse(printed) as { apps: Explanation[] }
  const found = apps.find((each) => each.appId === appId)
  if (found === undefined) return 'it knows nothing of it'
  if (found.listed === false) return 'it says that it is not there'
  if (whose === 'wanted' && found.wantedBy === undefined) return 'it says that nobody wants it'
  if (whose === 'foreign' && !found.verdict.includes('foreign')) return 'it does not say that it is foreign'
  return undefined
}
