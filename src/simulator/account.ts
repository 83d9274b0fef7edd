/** Typed access to the simulated account from inside the process: what the world outside the API would do. */
import { changeDomains } from './api.ts'
import { plantCertificate } from './autossl.ts'
import type { AppSeed, Behaviours, CertificateSeed } from './options.ts'
import { type AppState, actionStatus, derivedId, freeId, setDns, type World } from './state.ts'

/** Adds an app with its certificate; returns its id. Throws an Error for a server that does not exist or an id that does. */
export function addApp(world: World, seed: AppSeed): string {
  const { model } = world
  const serverid = seed.serverId ?? model.servers.keys().next().value
  const server = serverid === undefined ? undefined : model.servers.get(serverid)
  if (!server) throw new Error(`app ${seed.name}: no server ${serverid ?? 'at all'}`)
  const id = seed.id ?? freeId(model.apps, `app ${seed.name}`)
  if (model.apps.has(id)) throw new Error(`app ${seed.name}: the id ${id} is taken`)
  const app: AppState = {
    id,
    datecreated: Math.floor(world.now() / 1000),
    name: seed.name,
    sysuserid: derivedId(`sysuser ${server.id}`),
    serverid: server.id,
    runtime: seed.runtime ?? server.available_runtimes.at(-1) ?? 'php8.3',
    domains: [...(seed.domains ?? [])],
    ssl: null,
    changedAt: 0,
    availableBefore: null,
    previous: null,
  }
  model.apps.set(id, app)
  if (seed.ssl) plantCertificate(world, app, seed.ssl)
  return id
}

/** What a test or the control API sees and changes, past the API and its validation. Values are copies. */
export type Account = ReturnType<typeof createAccount>

/**
 * Access to a world; `save` makes each change durable. All that take an `appId` throw an Error when there is no such app. Times are
 * milliseconds.
 */
export function createAccount(world: World, save: () => void) {
  const { model } = world
  const existing = (appId: string) => {
    const app = model.apps.get(appId)
    if (!app) throw new Error(`no app ${appId}`)
    return app
  }
  const change = <T>(job: () => T): T => {
    const result = job()
    world.dirty = true
    save()
    return result
  }
  return {
    get apps() {
      return structuredClone([...model.apps.values()])
    },
    get servers() {
      return structuredClone([...model.servers.values()])
    },
    /** Each with its status now. */
    get actions() {
      const now = world.now()
      return [...model.actions.values()].map((action) => ({ ...action, status: actionStatus(action, now) }))
    },
    /** The behaviours in force. */
    get behaviours() {
      return structuredClone(world.behaviours)
    },
    /** Since 1970, on the simulated clock. */
    now: world.now,
    app: (appId: string) => structuredClone(existing(appId)),
    /** Another writer, or a person at the control panel: sets the list as it is given. */
    setDomains: (appId: string, domains: readonly string[]) =>
      change(() => changeDomains(world, existing(appId), domains)),
    /** Installs a certificate; null takes SSL away. Throws an Error when there are no names for one. */
    setCertificate: (appId: string, seed: CertificateSeed | null) =>
      change(() => {
        const app = existing(appId)
        if (seed) plantCertificate(world, app, seed)
        else app.ssl = null
      }),
    /** Adds an app; returns its id. Throws an Error for a server that does not exist or an id that does. */
    addApp: (seed: AppSeed) => change(() => addApp(world, seed)),
    removeApp: (appId: string) => change(() => void model.apps.delete(existing(appId).id)),
    /** Sets where names resolve to; null: they do not. AutoSSL's delay starts again for apps with these names. */
    setDns: (table: Record<string, string[] | null>) => change(() => setDns(model, table, world.now())),
    setBehaviours: (changes: Partial<Behaviours>) => change(() => void Object.assign(world.behaviours, changes)),
    /** The old key answers 401 from now on. */
    rotateKey: (apiKey: string) => change(() => void Object.assign(model, { apiKey })),
    /** Puts the simulated clock forward. */
    advance: (ms: number) => change(() => void Object.assign(model, { clockOffset: model.clockOffset + ms })),
  }
}
