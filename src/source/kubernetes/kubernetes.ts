import { type App, type Key, type Mapping, splitKey } from '../../api/objects.ts'
import type { Kind } from '../../api/schema.ts'
import { collectionPath, EVERY_NAMESPACE } from '../../kubernetes/api.ts'
import { createReflector, type Reflector, type ReflectorOptions } from '../../kubernetes/reflector.ts'
import { sharing } from '../../kubernetes/shared-text.ts'
import type { InvalidObject, ObjectSource, SourceFailure } from '../source.ts'
import { createIndexByApp } from './index-by-app.ts'
import { createNamespaces } from './namespaces.ts'
import { type Kept, keep } from './records.ts'
import { createSecrets } from './secrets.ts'

/** How a source of custom resources is set up. */
interface KubernetesSourceOptions extends Pick<ReflectorOptions<unknown>, 'connection' | 'clock' | 'log' | 'random'> {
  /** Namespaces whose objects are read; empty: all. An app has no mappings from namespaces that are not read. */
  namespaces: readonly string[]
  /** Gets every object as the API server gave it, each time: a status writer learns from it what is already written. */
  observed?: (kind: Kind, object: unknown, key: Key) => void
}

/**
 * The custom resources of a cluster as a source of objects. As long as any of them cannot be read, `failure` says why, and
 * what was read last is served. An invalid object fails nothing: what it last said when it was valid stays; one that never
 * was valid fails the mappings of the app that it names, as nobody knows what it would have kept.
 *
 * `changed` is not called for the first read, which `start` waits for.
 */
export function createKubernetesSource({ namespaces, observed, ...options }: KubernetesSourceOptions): ObjectSource {
  const scopes = namespaces.length === 0 ? [EVERY_NAMESPACE] : [...new Set(namespaces)]
  const index = createIndexByApp()
  const share = sharing()
  let changed: (apps: ReadonlySet<Key>) => void = () => {}
  let lastFailure: string | undefined
  let stopped = false
  /** Apps whose change nobody has taken up yet: they stay when the receiver throws. */
  const pending = new Set<Key>()
  /** Fields of a newer definition that were mentioned. */
  const passedOver = new Set<string>()

  const apps = new Map(scopes.map((scope) => [scope, reflect<App>('ServerPilotApp', scope, notify)]))
  const mappings = scopes.map((scope) =>
    reflect<Mapping>('DomainMapping', scope, (keys, records) =>
      notify([...keys].flatMap((key) => index.update(key, records.get(key)))),
    ),
  )
  const all = [...apps.values(), ...mappings]
  const followed = createNamespaces({
    ...options,
    changed(ending) {
      const concerned = ending ? appKeys() : selecting().map(({ key }) => key)
      if (concerned.length > 0) notify(concerned)
    },
  })

  /** Apps that take mappings from namespaces by their labels. */
  const selecting = (): App[] => objects(apps.values()).filter((app) => app.spec.allowedNamespaces.from === 'Selector')

  function reflect<T extends App | Mapping>(
    kind: Kind,
    namespace: string,
    onChange: (keys: ReadonlySet<Key>, records: ReadonlyMap<Key, Kept<T>>) => void,
  ): Reflector<Kept<T>> {
    const reflector = createReflector<Kept<T>>({
      ...options,
      path: collectionPath(kind, namespace),
      decode(object, previous, key) {
        observed?.(kind, object, key)
        return keep<T>(kind, object, { key, previous, share, passOver: (field) => passOver(kind, field) })
      },
      same: (before, after) => before === after,
      changed: (keys) => onChange(keys, reflector.records()),
    })
    return reflector
  }

  function passOver(kind: Kind, field: string): void {
    if (passedOver.has(`${kind} ${field}`)) return
    passedOver.add(`${kind} ${field}`)
    options.log?.('warn', 'A field of newer custom resources is passed over', { kind, field })
  }

  function notify(keys: Iterable<Key>): void {
    const message = failure()?.message
    // A failure that comes or goes concerns every app: removals wait for it.
    for (const key of keys) pending.add(key)
    if (message !== lastFailure) for (const key of appKeys()) pending.add(key)
    if (pending.size > 0) changed(new Set(pending))
    pending.clear()
    lastFailure = message
  }

  /** Of all apps, also of those that never were valid. */
  const appKeys = (): Key[] => [...apps.values()].flatMap((reflector) => [...reflector.records().keys()])

  function failure(): SourceFailure | undefined {
    const messages = new Set(all.flatMap((reflector) => reflector.failure() ?? []))
    if (messages.size === 0) return undefined
    return { source: 'kubernetes', message: [...messages].slice(0, 3).join('; ') }
  }

  function failureFor(app: Key): SourceFailure | undefined {
    const whole = failure()
    if (whole !== undefined) return whole
    const ending = followed.terminating().find((each) => index.namespacesOf(app).has(each))
    if (ending !== undefined) {
      const message = `Namespace ${ending} is being deleted, and its mappings go with it: nothing is removed before it is gone`
      return { source: 'kubernetes', message }
    }
    const [first, ...more] = index.unreadable(app)
    if (first === undefined) return undefined
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`
    return { source: 'kubernetes', message: `DomainMapping ${first}${rest} is invalid and was never read: correct it` }
  }

  function invalid(): InvalidObject[] {
    const found: InvalidObject[] = []
    for (const reflector of all)
      for (const each of reflector.records().values()) if (each.invalid !== undefined) found.push(each.invalid)
    return found
  }

  return {
    name: 'kubernetes',
    async start(onChange) {
      await Promise.all(all.map((reflector) => reflector.start()))
      const namespacesRead = followed.follow()
      // Others can begin without them.
      namespacesRead.catch(() => undefined)
      if (selecting().length > 0) await namespacesRead
      if (!stopped) changed = onChange
    },
    async stop() {
      stopped = true
      changed = () => {}
      await Promise.all([followed.stop(), ...all.map((reflector) => reflector.stop())])
    },
    synced: () => all.every((reflector) => reflector.hasSynced()),
    apps: () => objects(apps.values()),
    app(key) {
      const scope = namespaces.length === 0 ? EVERY_NAMESPACE : splitKey(key).namespace
      return apps.get(scope)?.records().get(key)?.object
    },
    mappings: () => objects(mappings),
    mappingsOf(app) {
      const failed = failureFor(app.key)
      const read = { source: 'kubernetes', mappings: index.mappingsOf(app.key) }
      return failed === undefined ? read : { ...read, failure: failed }
    },
    // Apps and namespaces count too: what they say decides which mappings count.
    rereads: () => [...all, followed].reduce((sum, each) => sum + each.rereads(), 0),
    faults: () => invalid().map(({ place, message, kind, key }) => ({ place, message, object: { kind, key } })),
    failure,
    invalid,
    secret: createSecrets(options.connection, options.clock),
    namespaceLabels: followed.labels,
  }
}

function objects<T extends App | Mapping>(reflectors: Iterable<Reflector<Kept<T>>>): T[] {
  const kept = [...reflectors].flatMap((reflector) => [...reflector.records().values()])
  return kept.flatMap(({ object }) => (object === undefined ? [] : [object]))
}
