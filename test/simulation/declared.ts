import { API_VERSION } from '../../src/api/objects.ts'
import type { ApiObjects, KubeObject } from './api-objects.ts'
import type { FilesByHand } from './disk.ts'

/** An app as the users of this world want it. */
export interface DeclaredApp {
  name: string
  appId: string
  policy: 'Sync' | 'UpsertOnly' | 'Observe'
  suspend: boolean
  deletionPolicy: 'Retain' | 'Delete'
  /** `domainpilot.dev/approve-plan`; empty: none. */
  approval: string
  /** `dns.policy` is Require since then, in milliseconds of the world; undefined: it is Report. */
  requireSince?: number | undefined
  /** The same for Quarantine. */
  quarantineSince?: number | undefined
}

/** `dns.quarantineAfter` where that is the policy. */
export const QUARANTINE_AFTER = 3_600_000

/** A mapping as the users want it. */
export interface DeclaredMapping {
  name: string
  app: string
  domain: string
}

/** What the users mean, whatever has become of it on the way. */
export interface Declared {
  readonly apps: ReadonlyMap<string, DeclaredApp>
  readonly mappings: ReadonlyMap<string, DeclaredMapping>
  putApp(app: DeclaredApp): void
  putMapping(mapping: DeclaredMapping): void
  removeApp(name: string): void
  removeMapping(name: string): void
  /** Calls back with every domain that is mapped, and the id of its app. */
  onMap(callback: (appId: string | undefined, domain: string) => void): void
  /** Calls back with every domain that is mapped no longer, or no longer there, and the id of the app where it was. */
  onUnmap(callback: (appId: string | undefined, domain: string) => void): void
  /** Writes all of it once more: whatever was damaged is whole again. */
  writeAgain(): void
}

/** Where objects are written down: files or a cluster. */
export interface ObjectStore {
  put(kind: ObjectKind, name: string, object: KubeObject): void
  remove(kind: ObjectKind, name: string): void
}

type ObjectKind = 'ServerPilotApp' | 'DomainMapping' | 'Secret'

export const NAMESPACE = 'wordpress'

/** What users mean, written to a store at once. */
export function createDeclared(store: ObjectStore): Declared {
  const apps = new Map<string, DeclaredApp>()
  const mappings = new Map<string, DeclaredMapping>()
  const listeners: ((appId: string | undefined, domain: string) => void)[] = []
  const unmapped: typeof listeners = []
  const tellUnmapped = (name: string): void => {
    const before = mappings.get(name)
    if (before === undefined) return
    for (const listener of unmapped) listener(apps.get(before.app)?.appId, before.domain)
  }
  return {
    apps,
    mappings,
    putApp(app) {
      apps.set(app.name, app)
      store.put('ServerPilotApp', app.name, appObject(app))
    },
    putMapping(mapping) {
      tellUnmapped(mapping.name)
      mappings.set(mapping.name, mapping)
      for (const listener of listeners) listener(apps.get(mapping.app)?.appId, mapping.domain)
      store.put('DomainMapping', mapping.name, mappingObject(mapping))
    },
    removeApp(name) {
      apps.delete(name)
      store.remove('ServerPilotApp', name)
    },
    removeMapping(name) {
      tellUnmapped(name)
      mappings.delete(name)
      store.remove('DomainMapping', name)
    },
    onMap: (callback) => void listeners.push(callback),
    onUnmap: (callback) => void unmapped.push(callback),
    writeAgain() {
      for (const app of apps.values()) store.put('ServerPilotApp', app.name, appObject(app))
      for (const mapping of mappings.values()) store.put('DomainMapping', mapping.name, mappingObject(mapping))
    },
  }
}

function appObject(app: DeclaredApp): KubeObject {
  const { name, appId, policy, suspend, deletionPolicy, approval } = app
  const dns = { policy: dnsPolicyOf(app), quarantineAfter: `${QUARANTINE_AFTER / 1000}s` }
  const annotations = approval === '' ? {} : { annotations: { 'domainpilot.dev/approve-plan': approval } }
  return {
    apiVersion: API_VERSION,
    kind: 'ServerPilotApp',
    metadata: { name, namespace: NAMESPACE, ...annotations },
    spec: { appId, policy, suspend, deletionPolicy, www: 'Never', dns },
  }
}

const dnsPolicyOf = ({ requireSince, quarantineSince }: DeclaredApp): string =>
  requireSince !== undefined ? 'Require' : quarantineSince !== undefined ? 'Quarantine' : 'Report'

const mappingObject = ({ name, app, domain }: DeclaredMapping): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'DomainMapping',
  metadata: { name, namespace: NAMESPACE },
  spec: { domain, appRef: { name: app } },
})

/** Objects as files, one each. */
export function inFiles(files: FilesByHand, folder: string): ObjectStore {
  const pathOf = (kind: string, name: string): string => `${folder}/${kind}-${name}.json`
  files.makeFolder(folder)
  return {
    put: (kind, name, object) => files.put(pathOf(kind, name), JSON.stringify(object)),
    remove: (kind, name) => files.take(pathOf(kind, name)),
  }
}

const RESOURCES: Readonly<Record<ObjectKind, string>> = {
  ServerPilotApp: `/apis/${API_VERSION}/serverpilotapps`,
  DomainMapping: `/apis/${API_VERSION}/domainmappings`,
  Secret: '/api/v1/secrets',
}

/** Objects as custom resources. */
export function inCluster(objects: ApiObjects, changed: () => void): ObjectStore {
  const targetOf = (kind: ObjectKind, name: string) => ({
    resource: RESOURCES[kind],
    namespace: NAMESPACE,
    name,
    status: false,
  })
  return {
    put(kind, name, object) {
      const target = targetOf(kind, name)
      const there = objects.list(target).some(({ metadata }) => metadata.name === name)
      if (there) objects.merge(target, object as unknown as Record<string, unknown>)
      else objects.create(target, object)
      changed()
    },
    remove(kind, name) {
      const target = targetOf(kind, name)
      // Somebody may have put etcd back to a time before it.
      if (!objects.list(target).some(({ metadata }) => metadata.name === name)) return
      objects.remove(target)
      changed()
    },
  }
}
