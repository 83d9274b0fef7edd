import type { ObjectStore } from '../declared.ts'
import type { Network } from './network.ts'
import type { DatabaseServer } from './server.ts'

/** Mappings of apps that have a database as rows there, and everything else as objects, with the Secret of each database. */
export function inDatabases(store: ObjectStore, servers: ReadonlyMap<string, DatabaseServer>): ObjectStore {
  const rows = new Map<string, { network: Network; domain: string }>()
  const serverOf = (app: string): DatabaseServer | undefined => [...servers.values()].find((each) => each.app === app)

  function takeRow(name: string): void {
    const row = rows.get(name)
    row?.network.remove(row.domain)
    rows.delete(name)
  }

  function putMapping(name: string, object: StoredObject): void {
    const { domain, appRef } = object.spec as { domain: string; appRef: { name: string } }
    const network = serverOf(appRef.name)?.network
    if (rows.get(name)?.network !== network || rows.get(name)?.domain !== domain) takeRow(name)
    if (network === undefined) store.put('DomainMapping', name, object)
    else {
      if (!rows.has(name)) store.remove('DomainMapping', name)
      rows.set(name, { network, domain })
      network.put(domain)
    }
  }

  return {
    put(kind, name, object) {
      const { appId } = object.spec as { appId?: string }
      const server = servers.get(appId ?? '')
      if (kind === 'DomainMapping') putMapping(name, object)
      else if (server === undefined) store.put(kind, name, object)
      else putApp(store, name, object, server)
    },
    remove(kind, name) {
      // Who follows the app no more forgets what was read for it.
      const server = kind === 'ServerPilotApp' ? serverOf(name) : undefined
      server?.knowledge.forget()
      if (server !== undefined) store.remove('Secret', `${name}-db`)
      if (kind === 'DomainMapping' && rows.has(name)) takeRow(name)
      else store.remove(kind, name)
    },
  }
}

function putApp(store: ObjectStore, name: string, object: StoredObject, server: DatabaseServer): void {
  const { url, mappings, pollInterval } = server
  const { namespace } = object.metadata
  server.app = name
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${name}-db`, namespace }, stringData: { url } }
  store.put('Secret', `${name}-db`, secret as StoredObject)
  const wordpress = { connectionSecretRef: { name: `${name}-db`, key: 'url' }, mappings, pollInterval }
  store.put('ServerPilotApp', name, { ...object, spec: { ...(object.spec as object), wordpress } })
}

type StoredObject = Parameters<ObjectStore['put']>[2]
