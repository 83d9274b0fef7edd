import { matchesSelector } from '../api/selector.ts'
import type { Host } from '../domain/host.ts'
import { codeOf, EVERY_NAMESPACE } from '../kubernetes/api.ts'
import { cureOf } from '../report/words.ts'
import { calledAs, EXIT, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Settings } from '../setup/settings.ts'
import type { Condition } from '../status/status.ts'
import { type AppObject, type ClusterReader, type MappingObject, readAll, withReader } from './cluster-reader.ts'
import { type Explanation, explanationText, FINE, looksOf, means } from './explanation.ts'

/** `explain HOST` in a cluster, off the objects alone. Looks into every namespace that the user may read. */
export async function explainInCluster(io: Io, given: Given, settings: Settings, host: Host): Promise<number> {
  const { apps, mappings, left } = await withReader(io, settings, (reader) => readWidely(reader, given, settings))
  const chosen = apps.filter((app) => matchesSelector(app.labels, settings.selection.selector))
  const found = explainObjects(host, chosen, mappings, calledAs(io))
  if (given.output === 'json') outJson(io, { host, apps: found })
  else io.out(explanationText(host, found, 'No mapping wants it, and no app counts it as its own.'))
  if (left !== undefined) io.err(`${left}\n`)
  io.err(
    `ServerPilot itself was not asked: foreign hosts are left out. That needs get on the Secrets and the records: ${calledAs(io)} explain ${host} --fresh\n`,
  )
  return EXIT.done
}

interface Read {
  apps: AppObject[]
  mappings: MappingObject[]
  /** What is missing, as a sentence. */
  left?: string
}

/** Everything, or as much of it as the user may read. */
async function readWidely(reader: ClusterReader, given: Given, { selection }: Settings): Promise<Read> {
  const everywhere = given.allNamespaces === true
  if (!everywhere && selection.namespaces.length > 0) return await readAll(reader, selection.namespaces)
  try {
    return await readAll(reader, [EVERY_NAMESPACE])
  } catch (error) {
    const refused = error instanceof Error && codeOf(error.cause) === 403
    if (everywhere || !refused) throw error
    const left = `Only the namespace ${reader.namespace} was read: the right to list every namespace is missing.`
    return { ...(await readAll(reader, [reader.namespace])), left }
  }
}

/** What the objects say of a host, per app. Pure. `command`: how the user calls the program. */
export function explainObjects(
  host: Host,
  apps: readonly AppObject[],
  mappings: readonly MappingObject[],
  command: string,
): Explanation[] {
  const wanting = mappings.filter(
    ({ domain, status }) => means(domain, host) || status.hosts.some(({ name }) => name === host),
  )
  const byKey = new Map(apps.map((app) => [app.key, app]))
  const served = new Set(wanting.map(({ app }) => app))
  const left = apps.filter((app) => !served.has(app.key) && owns(app, host))
  return [
    ...wanting.map((mapping) => explainMapping(host, mapping, byKey.get(mapping.app), command)),
    ...left.map((app) => explainLeaving(host, app, command)),
  ]
}

const owns = ({ status }: AppObject, host: Host): boolean => status.ownedDomains.includes(host)

const claimOf = (key: string) => ({ heldBy: key, claim: 'as its status says' })

const falseOf = (conditions: readonly Condition[], type: string): Condition | undefined =>
  conditions.find((each) => each.type === type && each.status === 'False')

function explainMapping(host: Host, mapping: MappingObject, app: AppObject | undefined, command: string): Explanation {
  const { status } = mapping
  const at = status.hosts.find(({ name }) => name === host)
  const bad = falseOf(status.conditions, 'Accepted') ?? falseOf(status.conditions, 'Synced')
  const behind = status.observedGeneration < mapping.generation
  const why = at?.message ?? bad?.message
  const looks = at && looksOf(host, status.conditions, at)
  return {
    app: mapping.app,
    appId: status.appId ?? app?.appId ?? 'none',
    wantedBy: mapping.key,
    place: `DomainMapping ${mapping.key}`,
    ...(app !== undefined && owns(app, host) ? claimOf(mapping.app) : {}),
    listed: at?.state === 'present' || at?.state === 'leaving',
    verdict: `${at?.state ?? 'not on the app'}${why ? `: ${why}` : ''}`,
    dns: looks?.dns,
    certificate: looks?.certificate,
    next: behind
      ? 'The daemon has not looked at the mapping as it is now: see that one runs and serves its app.'
      : (app && removalOf(host, app, command)) ||
        (bad && cureOf(bad.reason)) ||
        (looks?.next ?? (at?.state === 'present' ? FINE : 'The daemon goes on with it.')),
  }
}

/** No mapping wants it, and the app counts it as its own. */
function explainLeaving(host: Host, app: AppObject, command: string): Explanation {
  const bad = falseOf(app.status.conditions, 'Synced')
  return {
    app: app.key,
    appId: app.appId,
    ...claimOf(app.key),
    verdict: `no longer wanted, and ours${bad === undefined ? '' : `: ${bad.message}`}`,
    next: removalOf(host, app, command) || (bad && cureOf(bad.reason)) || 'It is removed by the daemon.',
  }
}

function removalOf(host: Host, { key, status: { plan } }: AppObject, command: string): string | undefined {
  if (!plan?.removals.includes(host)) return undefined
  if (plan.reason === 'RemovalSettling') return 'It is removed by the daemon once it has settled.'
  return `Its removal waits (${plan.reason}). To let it go: ${command} approve ${key} ${plan.hash}`
}
