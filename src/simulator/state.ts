/** The account that the simulator plays: its state and the plain questions to it. No I/O, no clock of its own. */
import { createHash } from 'node:crypto'
import type { Authority } from './issuance.ts'
import type { Behaviours, Issuance, ServerSeed, SimulatorOptions } from './options.ts'

/** The `ssl` of an app, with what the API does not show. Times in milliseconds since 1970. */
export interface SslState {
  /** null while AutoSSL is on and its certificate is not there yet. */
  key: string | null
  cert: string | null
  cacerts: string | null
  auto: boolean
  force: boolean
  /** Names in the certificate. */
  names: string[]
  notAfter: number
  /** When the certificate of an AutoSSL that was just turned on will be there; null once it is. */
  dueAt: number | null
}

/** An app, with what the API does not show. */
export interface AppState {
  id: string
  /** Seconds since 1970. */
  datecreated: number
  name: string
  sysuserid: string
  serverid: string
  runtime: string
  domains: string[]
  ssl: SslState | null
  /** Last change of the set of domains, milliseconds since 1970; 0: before the start. */
  changedAt: number
  /** Names of the certificate that was available before that change. */
  availableBefore: string[] | null
  /** What a reader of a stale copy sees. */
  previous: { domains: string[]; ssl: SslState | null } | null
}

/** A server, in the API's own shape; `lastconn` and `datecreated` in seconds since 1970. */
export interface ServerState {
  id: string
  name: string
  plan: string
  autoupdates: boolean
  firewall: boolean
  deny_unknown_domains: boolean
  available_runtimes: string[]
  lastaddress: string | null
  lastconn: number | null
  datecreated: number
}

/** An action: open until `endsAt` (milliseconds since 1970; null: for ever), then what `outcome` says. */
export interface ActionState {
  id: string
  serverid: string
  /** Seconds since 1970. */
  datecreated: number
  endsAt: number | null
  outcome: 'success' | 'error'
}

/** Everything that outlives a restart. */
export interface Model {
  clientId: string
  apiKey: string
  /** Milliseconds that the simulated clock is ahead of the real one. */
  clockOffset: number
  servers: Map<string, ServerState>
  /** In the API's own shape. */
  sysusers: Map<string, { id: string; name: string; serverid: string }>
  apps: Map<string, AppState>
  actions: Map<string, ActionState>
  /** Names that do not simply resolve to their server; `since` in milliseconds since 1970. */
  dns: Map<string, { addresses: string[]; since: number }>
}

/** The state with all that decides what happens to it. `now` gives milliseconds since 1970. */
export interface World {
  model: Model
  behaviours: Behaviours
  issuance: Issuance
  actionDuration: number
  authority: Authority
  now: () => number
  /** Set when the model was changed, cleared once that is durable. */
  dirty: boolean
}

const RUNTIMES = ['php7.4', 'php8.0', 'php8.1', 'php8.2', 'php8.3']
const MAX_ACTIONS = 10_000

/** The account at its start, from the options, still without apps; `now` in milliseconds since 1970. */
export function createModel(options: SimulatorOptions, now: number): Model {
  const model: Model = {
    clientId: options.clientId ?? 'cid_simulator',
    apiKey: options.apiKey ?? 'simulator-api-key',
    clockOffset: 0,
    servers: new Map(),
    sysusers: new Map(),
    apps: new Map(),
    actions: new Map(),
    dns: new Map(),
  }
  const seconds = Math.floor(now / 1000)
  for (const seed of options.servers ?? [{ name: 'server-1' }]) addServer(model, seed, seconds)
  setDns(model, options.dns ?? {}, 0)
  return model
}

/** Sets where names resolve to; null: they do not. `since` in milliseconds since 1970. */
export function setDns(model: Model, table: Record<string, string[] | null>, since: number): void {
  for (const [name, addresses] of Object.entries(table)) {
    model.dns.set(name.toLowerCase(), { addresses: addresses ?? [], since })
  }
}

function addServer(model: Model, seed: ServerSeed, seconds: number): void {
  const id = seed.id ?? freeId(model.servers, `server ${seed.name}`)
  const sysuserid = derivedId(`sysuser ${id}`)
  model.servers.set(id, {
    id,
    name: seed.name,
    plan: seed.plan ?? 'business',
    autoupdates: true,
    firewall: true,
    deny_unknown_domains: false,
    available_runtimes: seed.availableRuntimes ?? RUNTIMES,
    lastaddress: seed.lastaddress === undefined ? '198.51.100.10' : seed.lastaddress,
    lastconn: seed.lastaddress === null ? null : seconds,
    datecreated: seconds,
  })
  model.sysusers.set(sysuserid, { id: sysuserid, name: 'serverpilot', serverid: id })
}

/** Starts an action behind those that the server still works on. */
export function startAction(world: World, serverid: string): ActionState {
  const { model } = world
  const now = world.now()
  let free = now
  for (const action of model.actions.values()) {
    if (action.serverid === serverid && action.endsAt !== null && action.endsAt > free) free = action.endsAt
  }
  const action: ActionState = {
    id: randomId(),
    serverid,
    datecreated: Math.floor(now / 1000),
    endsAt: free + world.actionDuration,
    outcome: 'success',
  }
  model.actions.set(action.id, action)
  const [oldest = ''] = model.actions.keys()
  if (model.actions.size > MAX_ACTIONS) model.actions.delete(oldest)
  return action
}

/** Status of an action at `now` (milliseconds since 1970). */
export function actionStatus(action: ActionState, now: number): 'open' | 'success' | 'error' {
  return action.endsAt === null || action.endsAt > now ? 'open' : action.outcome
}

/** Whether the server still works on an action. */
export function isBusy(world: World, serverid: string): boolean {
  const now = world.now()
  const actions = [...world.model.actions.values()]
  return actions.some((action) => action.serverid === serverid && actionStatus(action, now) === 'open')
}

/** Whether two lists hold the same names, in any order. */
export function sameNames(left: readonly string[], right: readonly string[]): boolean {
  const names = new Set(left)
  return names.size === new Set(right).size && right.every((name) => names.has(name))
}

/** A new id in the API's form: 16 alphanumerics. */
export function randomId(): string {
  return alphanumeric(Uint8Array.from({ length: 16 }, () => Math.random() * 256))
}

/** An id that follows from a text. */
export function derivedId(text: string): string {
  return alphanumeric(createHash('sha256').update(text).digest())
}

/** An id that follows from a text and is not taken yet. */
export function freeId(taken: ReadonlyMap<string, unknown>, text: string): string {
  let id = derivedId(text)
  for (let n = 2; taken.has(id); n++) id = derivedId(`${text} ${n}`)
  return id
}

function alphanumeric(bytes: Uint8Array): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(bytes.subarray(0, 16), (byte) => letters[byte % letters.length]).join('')
}
