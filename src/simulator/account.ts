/** Typed access to the simulated account from inside the process: what the world outside the API would do. */
import { changeDomains } from './api.ts'
import { plantCertificate } from './autossl.ts'
import type { AppSeed, Behaviours, CertificateSeed } from './options.ts'
import { type ActionState, type AppState, actionStatus, addApp, type ServerState, type World } from './state.ts'

/** An action with its status now. */
type ActionView = ActionState & { status: 'open' | 'success' | 'error' }

/** What a test or the control API sees and changes, past the API and its validation. Values are copies. */
export interface Account {
  readonly apps: AppState[]
  readonly servers: ServerState[]
  readonly actions: ActionView[]
  /** The behaviours in force. */
  readonly behaviours: Behaviours
  /** Milliseconds since 1970, on the simulated clock. */
  now(): number
  /** One app. Throws an Error when there is none with this id; so do all that take an `appId`. */
  app(appId: string): AppState
  /** Another writer, or a person at the control panel: sets the list as it is given. */
  setDomains(appId: string, domains: readonly string[]): void
  /** Installs a certificate; null takes SSL away. Throws an Error when there are no names for one. */
  setCertificate(appId: string, seed: CertificateSeed | null): void
  /** Adds an app; returns its id. Throws an Error for a server that does not exist or an id that does. */
  addApp(seed: AppSeed): string
  removeApp(appId: string): void
  /** Sets where names resolve to; null: they do not. AutoSSL's delay starts again for apps with these names. */
  setDns(table: Record<string, string[] | null>): void
  setBehaviours(changes: Partial<Behaviours>): void
  /** The old key answers 401 from now on. */
  rotateKey(apiKey: string): void
  /** Puts the simulated clock forward; milliseconds. */
  advance(ms: number): void
}

/** Access to a world; `save` makes each change durable. */
export function createAccount(world: World, save: () => void): Account {
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
    get actions() {
      const now = world.now()
      return [...model.actions.values()].map((action) => ({ ...action, status: actionStatus(action, now) }))
    },
    get behaviours() {
      return structuredClone(world.behaviours)
    },
    now: () => world.now(),
    app: (appId) => structuredClone(existing(appId)),
    setDomains: (appId, domains) => change(() => changeDomains(world, existing(appId), domains)),
    setCertificate: (appId, seed) =>
      change(() => {
        const app = existing(appId)
        if (seed) plantCertificate(world, app, seed)
        else app.ssl = null
      }),
    addApp: (seed) =>
      change(() => {
        const app = addApp(model, seed, Math.floor(world.now() / 1000))
        if (seed.ssl) plantCertificate(world, app, seed.ssl)
        return app.id
      }),
    removeApp: (appId) => change(() => void model.apps.delete(existing(appId).id)),
    setDns: (table) =>
      change(() => {
        for (const [name, addresses] of Object.entries(table)) {
          model.dns.set(name.toLowerCase(), { addresses: addresses ?? [], since: world.now() })
        }
      }),
    setBehaviours: (changes) => change(() => void Object.assign(world.behaviours, changes)),
    rotateKey: (apiKey) =>
      change(() => {
        model.apiKey = apiKey
      }),
    advance: (ms) =>
      change(() => {
        model.clockOffset += ms
      }),
  }
}
