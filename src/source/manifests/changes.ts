import type { App, Key, Mapping } from '../../api/objects.ts'
import type { Secret } from '../../api/secret.ts'
import type { State } from './state.ts'

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
