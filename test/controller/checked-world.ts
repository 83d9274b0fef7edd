import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openDns } from '../../src/check/dns/ask.ts'
import type { Handshake, Shake } from '../../src/check/served.ts'
import { type Checks, createChecks } from '../../src/controller/checks/checks.ts'
import { quiet } from '../../src/log/quiet.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { appStatus } from '../../src/status/app-status.ts'
import { hostChecks } from '../../src/status/host-checks.ts'
import { mappingStatuses } from '../../src/status/mapping-status.ts'
import type { Outcome } from '../../src/status/outcome.ts'
import type { AppStatus, Condition, MappingStatus } from '../../src/status/status.ts'
import { systemClock } from '../../src/time/clock.ts'
import { createPace } from '../../src/time/pace.ts'
import { createWorld, type World } from './world.ts'

/** Where the hosts of a checked world lead when they are right. */
export const SERVER = '198.51.100.10'

export interface CheckedWorld extends World {
  checks: Checks
  /** Reconciles, looks at what is due, and reconciles on what was found. */
  round(): Promise<Outcome>
  /** `TYPE STATUS REASON: message` of a mapping after an outcome. */
  says(outcome: Outcome, mapping: string, type: string): string
  /** The same of the app. */
  app(outcome: Outcome, type: string): string
  /** The status of a mapping after the last outcome that was asked about. */
  status(mapping: string): MappingStatus
  enqueued: string[]
}

/** A server behind a firewall. */
const silence = async (): Promise<Handshake> => ({ kind: 'unseen', why: 'Timeout' })

/** A world whose hosts are looked at, in the DNS of the simulator or of `nameserver`. */
export async function checked(
  t: TestContext,
  options: {
    spec?: object
    domains?: string[]
    simulator?: SimulatorOptions
    nameserver?: string
    shake?: Shake
  } = {},
): Promise<CheckedWorld> {
  const { nameserver, simulator, shake = silence, ...rest } = options
  const world = await createWorld(t, { ...rest, simulator: { dnsPort: 0, ...simulator } })
  const servers = [nameserver ?? (world.simulator.nameserver as string)]
  const pace = createPace({ qps: 10_000, burst: 100 }, systemClock)
  const enqueued: string[] = []
  const checks = createChecks({
    context: world.context,
    schedule: '0 0 1 1 *',
    served: true,
    resolver: (signal) => openDns({ servers, pace, signal, timeout: 100, tries: 1 }),
    shake,
    enqueue: (app) => enqueued.push(app),
    log: quiet,
  })
  t.after(() => checks.stop())
  let known: { outcome?: Outcome; app?: AppStatus; mappings: ReadonlyMap<string, MappingStatus> } = {
    mappings: new Map(),
  }
  /** From outcome to outcome, as the status store makes them. */
  function statuses(outcome: Outcome): ReadonlyMap<string, MappingStatus> {
    if (known.outcome === outcome) return known.mappings
    assert.ok(outcome.app)
    const seen = hostChecks(outcome.app, outcome)
    const app = appStatus(outcome.app, outcome, seen, known.app)
    const list = mappingStatuses({ app: outcome.app, outcome, checks: seen, status: app }, known.mappings)
    known = { outcome, app, mappings: new Map(list.map((each) => [each.key, each])) }
    return known.mappings
  }
  const more = {
    checks,
    enqueued,
    async round() {
      checks.observe(await world.reconcile())
      await checks.turn()
      return await world.reconcile()
    },
    says: (outcome: Outcome, mapping: string, type: string) =>
      said(statuses(outcome).get(`wordpress/${mapping}`)?.conditions, type),
    app(outcome: Outcome, type: string) {
      statuses(outcome)
      return said(known.app?.conditions, type)
    },
    status: (mapping: string) => known.mappings.get(`wordpress/${mapping}`) as MappingStatus,
  }
  return Object.defineProperties(world, Object.getOwnPropertyDescriptors(more)) as CheckedWorld
}

function said(conditions: readonly Condition[] | undefined, type: string): string {
  const found = conditions?.find((each) => each.type === type)
  return found === undefined ? 'none' : `${found.status} ${found.reason}: ${found.message}`
}
