import { resolve, sep } from 'node:path'
import { type App, type Key, type Mapping, splitKey } from '../../api/objects.ts'
import type { Kind } from '../../api/schema.ts'
import type { Secret } from '../../api/secret.ts'
import type { ParsedFile, PassedOver } from '../../api/yaml.ts'
import type { InvalidObject, SourceFailure, SourceFault } from '../source.ts'
import type { Trouble } from './listing.ts'
import type { FileRead, FilesRead } from './read.ts'

/** Objects as a file declares them. */
type Declared = Pick<ParsedFile, 'apps' | 'mappings' | 'secrets'>

/** What the source says after a reading. A value: the next one is made from it and from the next reading. */
export interface State {
  apps: ReadonlyMap<Key, App>
  mappings: ReadonlyMap<Key, Mapping>
  /** By `namespace/name`. */
  secrets: ReadonlyMap<string, Secret>
  faults: readonly SourceFault[]
  /** What of the files counts neither as objects nor as faults. */
  passedOver: readonly PassedOver[]
  /** Objects that are declared with a fault, and nowhere without one. */
  invalid: readonly InvalidObject[]
  failure?: SourceFailure
  /** What each file said when all of it was good. */
  good: ReadonlyMap<string, Declared>
  /** The last read of each file. */
  files: ReadonlyMap<string, FileRead>
  /** Generation of each object that was ever seen, with the spec that it belongs to. */
  generations: ReadonlyMap<string, { generation: number; spec: string }>
}

/** Before the first reading. */
export const NOTHING: State = {
  apps: new Map(),
  mappings: new Map(),
  secrets: new Map(),
  faults: [],
  passedOver: [],
  invalid: [],
  good: new Map(),
  files: new Map(),
  generations: new Map(),
}

/** What a reading makes of the state, step by step: fresh objects first, then what stays from before. */
export function advance(before: State, read: FilesRead, defaultApp?: App): State {
  const faults: SourceFault[] = [...read.troubles]
  const served: Served = { apps: new Map(), mappings: new Map(), secrets: new Map() }
  for (const { parsed } of read.files) {
    for (const secret of parsed.secrets) served.secrets.set(keyOf(secret), secret)
    faults.push(...parsed.faults, ...serve('ServerPilotApp', parsed.apps, served.apps, before.apps))
    faults.push(...serve('DomainMapping', parsed.mappings, served.mappings, before.mappings))
  }
  const broken = new Set(faults.map((fault) => fileOf(fault.place)))
  const faulty = faultyObjects(read.files, served)

  const good = new Map<string, Declared>()
  for (const [path, declared] of before.good) {
    if (broken.has(path) || isCovered(path, read.troubles)) good.set(path, declared)
  }
  // Only now, so that an object that moved to another file is not hidden by the copy in its old one.
  for (const declared of good.values()) keep(declared, served)
  for (const file of read.files) if (!broken.has(file.path)) good.set(file.path, file.parsed)

  const failure = failureOf(faults)
  // An app or Secret that went while the source fails is not gone for good: there has to be an app to show the failure on.
  if (failure !== undefined) {
    const apps = [...before.apps.values()].filter((app) => app.place !== defaultApp?.place)
    keep({ apps, mappings: [], secrets: [...before.secrets.values()] }, served)
  }
  markFaulty('ServerPilotApp', served.apps, faulty)
  markFaulty('DomainMapping', served.mappings, faulty)
  const declaresApp = served.apps.size > 0 || [...faulty.values()].some(({ kind }) => kind === 'ServerPilotApp')
  if (defaultApp !== undefined && !declaresApp) served.apps.set(defaultApp.key, defaultApp)
  const generations = new Map(before.generations)
  return {
    apps: withGenerations('app', served.apps, generations, (app) => app.spec),
    mappings: withGenerations('mapping', served.mappings, generations, ({ domain, www, app }) => [domain, www, app]),
    secrets: served.secrets,
    faults,
    passedOver: read.files.flatMap(({ parsed }) => parsed.passedOver),
    invalid: [...faulty.values()],
    ...(failure === undefined ? {} : { failure }),
    good,
    files: new Map(read.files.map((file) => [file.path, file])),
    generations,
  }
}

interface Served {
  apps: Map<Key, App>
  mappings: Map<Key, Mapping>
  secrets: Map<string, Secret>
}

/**
 * Takes up what a file declares; gives a fault for each object that is declared twice. Of two copies, the one in the file
 * that held the object before counts, else the first: a copy that appears takes nothing over.
 */
function serve<T extends App | Mapping>(
  kind: Kind,
  declared: readonly T[],
  served: Map<Key, T>,
  before: ReadonlyMap<Key, T>,
): SourceFault[] {
  const faults: SourceFault[] = []
  for (const object of declared) {
    const { key } = object
    const first = served.get(key)
    const holder = before.get(key)
    const wins =
      first === undefined || (holder !== undefined && inSameFile(holder, object) && !inSameFile(holder, first))
    if (wins) served.set(key, object)
    if (first === undefined) continue
    const [counts, other] = wins ? [object, first] : [first, object]
    const message = `${kind} ${key} is declared twice, here and at ${counts.place}; the latter counts: remove one of them`
    faults.push({ place: other.place, message, object: { kind, key } })
  }
  return faults
}

/** Objects that this reading declares with a fault and nowhere without one, by kind and key. `served`: what it declares without. */
function faultyObjects(files: readonly FileRead[], served: Served): Map<string, InvalidObject> {
  const faulty = new Map<string, InvalidObject>()
  for (const { place, message, object } of files.flatMap(({ parsed }) => parsed.faults)) {
    if (object === undefined) continue
    const { kind, key } = object
    const id = `${kind} ${key}`
    if ((kind === 'ServerPilotApp' ? served.apps : served.mappings).has(key) || faulty.has(id)) continue
    faulty.set(id, { kind, key, ...splitKey(key), generation: 1, place, message, labels: {} })
  }
  return faulty
}

/** Says of objects that stay from before what is wrong with their newest version, and of no others. */
function markFaulty<T extends App | Mapping>(
  kind: Kind,
  served: Map<Key, T>,
  faulty: Map<string, InvalidObject>,
): void {
  for (const [key, object] of served) {
    const id = `${kind} ${key}`
    const now = faulty.get(id)
    if (now !== undefined) {
      const { generation, labels } = object
      faulty.set(id, { ...now, generation, labels, ...('app' in object ? { app: object.app } : {}) })
    }
    if (object.fault === now?.message) continue
    const { fault: _, ...bare } = object
    served.set(key, { ...(bare as T), ...(now === undefined ? {} : { fault: now.message }) })
  }
}

const inSameFile = (a: App | Mapping, b: App | Mapping): boolean => fileOf(a.place) === fileOf(b.place)

const fileOf = (place: string): string => place.replace(/(?::\d+)+$/, '')

/** Takes up what is not declared again. */
function keep({ apps, mappings, secrets }: Declared, served: Served): void {
  for (const app of apps) if (!served.apps.has(app.key)) served.apps.set(app.key, app)
  for (const mapping of mappings) if (!served.mappings.has(mapping.key)) served.mappings.set(mapping.key, mapping)
  for (const secret of secrets) if (!served.secrets.has(keyOf(secret))) served.secrets.set(keyOf(secret), secret)
}

const keyOf = ({ namespace, name }: Secret): string => `${namespace}/${name}`

function isCovered(path: string, troubles: readonly Trouble[]): boolean {
  const absolute = resolve(path)
  return troubles.some(({ place }) => {
    const covers = resolve(place)
    return absolute === covers || absolute.startsWith(covers.endsWith(sep) ? covers : covers + sep)
  })
}

function failureOf(faults: readonly SourceFault[]): SourceFailure | undefined {
  const [first, ...more] = faults
  if (first === undefined) return undefined
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`
  return { source: 'manifests', message: `${first.place}: ${first.message}${rest}` }
}

function withGenerations<T extends App | Mapping>(
  what: string,
  objects: ReadonlyMap<Key, T>,
  generations: Map<string, { generation: number; spec: string }>,
  specOf: (object: T) => unknown,
): Map<Key, T> {
  const result = new Map<Key, T>()
  for (const [key, object] of objects) {
    const spec = JSON.stringify(specOf(object))
    const id = `${what} ${key}`
    const known = generations.get(id)
    const generation = known?.spec === spec ? known.generation : (known?.generation ?? 0) + 1
    if (known?.generation !== generation) generations.set(id, { generation, spec })
    result.set(key, object.generation === generation ? object : { ...object, generation })
  }
  return result
}

/** The apps for which something differs between two states: themselves, a mapping, a Secret of theirs, or the failure. */
export function changedApps(before: State, after: State): Set<Key> {
  if (before.failure?.message !== after.failure?.message) {
    return new Set([...before.apps.keys(), ...after.apps.keys()])
  }
  const changed = differing(before.apps, after.apps)
  for (const key of differing(before.mappings, after.mappings)) {
    // A mapping that went over to another app concerns both.
    for (const mapping of [before.mappings.get(key), after.mappings.get(key)]) if (mapping) changed.add(mapping.app)
  }
  const secrets = differing(before.secrets, after.secrets)
  for (const app of after.apps.values()) if (secretsOf(app).some((secret) => secrets.has(secret))) changed.add(app.key)
  return changed
}

function differing<T extends App | Mapping | Secret>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): Set<string> {
  const keys = new Set<string>()
  for (const key of before.keys()) if (!after.has(key)) keys.add(key)
  for (const [key, object] of after) {
    const old = before.get(key)
    if (old !== object && (old === undefined || content(old) !== content(object))) keys.add(key)
  }
  return keys
}

/** All but the place: an object that only moved within its file did not change. */
function content(object: App | Mapping | Secret): string {
  return JSON.stringify({ ...object, place: undefined })
}

function secretsOf({ namespace, spec }: App): string[] {
  const names = [spec.credentialsSecretRef?.name, spec.wordpress?.connectionSecretRef.name]
  return names.filter((name) => name !== undefined).map((name) => `${namespace}/${name}`)
}
