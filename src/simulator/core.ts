import { addApp, createAccount } from './account.ts'
import { createCallLog } from './calls.ts'
import { createFaults } from './faults.ts'
import { createAuthority } from './issuance.ts'
import { defaultBehaviours, defaultIssuance, type SimulatorOptions } from './options.ts'
import { loadModel, saveModel } from './persistence.ts'
import type { Service } from './serve.ts'
import { createModel, type World } from './state.ts'

/**
 * The simulator without a network: the account with its faults and calls, and the service over them. `wait` resolves after so many
 * milliseconds. Throws an Error for a state file that is not one, or options that contradict each other.
 */
export function createCore(options: SimulatorOptions, wait: Service['wait']) {
  const realNow = options.now ?? Date.now
  const { stateFile } = options
  const stored = stateFile === undefined ? undefined : loadModel(stateFile)
  const model = stored ?? createModel(options, realNow())
  if (options.clientId !== undefined) model.clientId = options.clientId
  if (options.apiKey !== undefined) model.apiKey = options.apiKey
  const world: World = {
    model,
    behaviours: { ...defaultBehaviours, ...options.behaviours },
    issuance: { ...defaultIssuance, ...options.issuance },
    actionDuration: options.actionDuration ?? 100,
    authority: createAuthority(realNow()),
    now: () => realNow() + model.clockOffset,
    dirty: !stored,
  }
  const save = () => {
    if (stateFile !== undefined && world.dirty) saveModel(stateFile, model)
    world.dirty = false
  }
  const seeds = options.apps ?? [{ name: 'network', domains: ['network.example'] }]
  if (!stored) for (const seed of seeds) addApp(world, seed)
  const apps = [...model.apps.keys()]
  save()
  const calls = createCallLog(options.maxCalls ?? 10_000)
  const faults = createFaults(options.random ?? Math.random)
  const service: Service = {
    world,
    faults,
    calls,
    latency: options.latency ?? 0,
    wait,
    save,
    withinLimit: rateLimiter(world),
    log: options.log ?? (() => {}),
  }
  return { world, service, account: createAccount(world, save), faults, calls, apps }
}

function rateLimiter(world: World): () => boolean {
  let times: number[] = []
  return () => {
    const limit = world.behaviours.rateLimit
    if (!limit) return true
    const now = world.now()
    times = times.filter((time) => time > now - limit.per)
    if (times.length >= limit.requests) return false
    times.push(now)
    return true
  }
}
