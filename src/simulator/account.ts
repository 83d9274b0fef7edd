/** Typed access to the simulated account from inside the process: what the world outside the API would do. */
import { changeDomains } from './api.ts'
import { plantCertificate } from './autossl.ts'
import type { AppSeed, Behaviours, CertificateSeed } from './options.ts'
import { actionStatus, addApp, setDns, type World } from './state.ts'

/** Adds an app with its certificate; returns its id. Throws an Error for a server that does not exist or an id that does. */
export function seedApp(world: World, seed: AppSeed): string {
  const app = addApp(world.model, seed, Math.floor(world.now() / 1000))
  if (seed.ssl) plantCertificate(world, app, seed.ssl)
  return app.id
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
    addApp: (seed: AppSeed) => change(() => seedApp(world, seed)),
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
