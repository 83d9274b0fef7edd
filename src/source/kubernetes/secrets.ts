import { decodeSecret, type Secret } from '../../api/secret.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { KubernetesError } from '../../kubernetes/http.ts'
import type { Clock } from '../../time/clock.ts'
import type { ObjectSource } from '../source.ts'

/** How long a Secret that was read is taken as it was, in milliseconds: a new key counts after this time. */
const FRESH_MS = 30_000

/**
 * A reader of Secrets with a short memory. By name, it never lists them: that right would show every Secret of the cluster. It gives
 * one value; undefined when there is no such Secret or key. Throws `KubernetesError` when it cannot be read.
 */
export function createSecrets(
  connection: Pick<Connection, 'json'>,
  clock: Pick<Clock, 'steady'>,
): ObjectSource['secret'] {
  const known = new Map<string, { secret: Secret; at: number }>()
  const reading = new Map<string, Promise<Secret | undefined>>()

  async function read(namespace: string, name: string, id: string): Promise<Secret | undefined> {
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`
      const value = await connection.json(path)
      const decoded = decodeSecret(value, { namespace })
      if (!decoded.ok)
        throw new KubernetesError({ reason: 'Undecodable', message: `the Secret ${id} cannot be decoded` })
      known.set(id, { secret: decoded.secret, at: clock.steady() })
      return decoded.secret
    } catch (error) {
      const code = error instanceof KubernetesError ? error.code : undefined
      if (code !== undefined && code < 500 && code !== 429) known.delete(id)
      if (code === 404) return undefined
      // The API server being away is no reason to forget what let us in.
      const old = known.get(id)
      if (old !== undefined) return old.secret
      throw error
    }
  }

  return async (namespace, name, key) => {
    const id = `${namespace}/${name}`
    const old = known.get(id)
    if (old !== undefined && clock.steady() - old.at < FRESH_MS) return old.secret.values[key]
    const under = reading.get(id) ?? read(namespace, name, id).finally(() => reading.delete(id))
    reading.set(id, under)
    return (await under)?.values[key]
  }
}
