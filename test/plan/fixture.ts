import type { App, Mapping, SafetySpec } from '../../src/api/objects.ts'
import { appDefaults } from '../../src/api/schema.ts'
import type { Host } from '../../src/domain/host.ts'
import { type Claim, emptyRecord, type OwnershipRecord } from '../../src/ownership/record.ts'
import { resolveConflicts } from '../../src/plan/conflicts.ts'
import { compileMapping, type Desired } from '../../src/plan/desired.ts'
import type { PlanInput } from '../../src/plan/input.ts'
import { makePlan, type Plan } from '../../src/plan/plan.ts'

/** The fixture of the public cases: one app `wordpress/network`, policy Sync, www Never, safety at its defaults. */
export const APP_ID = 'AAAAAAAAAAAAAAAA'
export const NOW = Date.UTC(2026, 0, 15, 12)
export const WRITER = { version: '1', filters: '' }

export function app(spec: Partial<App['spec']> & { safety?: SafetySpec } = {}, name = 'network'): App {
  return {
    key: `wordpress/${name}`,
    namespace: 'wordpress',
    name,
    generation: 1,
    place: `${name}.yaml:1`,
    labels: {},
    annotations: {},
    spec: { ...(appDefaults(APP_ID) as App['spec']), www: 'Never', ...spec },
  }
}

export function mapping(name: string, domain: string, more: Partial<Mapping> = {}): Mapping {
  return {
    key: `wordpress/${name}`,
    namespace: 'wordpress',
    name,
    generation: 1,
    place: `${name}.yaml:1`,
    labels: {},
    annotations: {},
    source: 'manifests',
    domain,
    app: 'wordpress/network',
    ...more,
  }
}

/** A mapping per domain, named after it. */
export const mappings = (domains: readonly string[]): Mapping[] => domains.map((domain) => mapping(domain, domain))

export function desired(of: App, wishes: readonly Mapping[]): Desired {
  const compiled = wishes.map((each) => compileMapping(of, each, () => undefined))
  return resolveConflicts([{ app: of.key, compiled }], () => undefined).get(of.key) as Desired
}

export function record(owned: readonly string[], more: Partial<OwnershipRecord> = {}): OwnershipRecord {
  const claim = (host: string): Claim => ({
    mapping: `wordpress/${host}`,
    source: 'manifests',
    state: 'Held',
    since: NOW - 86_400_000,
  })
  const hosts = Object.fromEntries(owned.map((host) => [host, claim(host)])) as Record<Host, Claim>
  return { ...emptyRecord('cid', APP_ID, 'wordpress/network', WRITER), hosts, ...more }
}

/** What a plan is made of. Nothing waits, as in a one-shot run, unless a watch is given. */
export function planInput(
  wishes: readonly Mapping[],
  observed: readonly string[],
  owned: OwnershipRecord,
  more: Partial<PlanInput> = {},
): PlanInput {
  const of = more.app ?? app()
  return {
    app: of,
    desired: desired(of, wishes),
    observed,
    record: owned,
    owned: Object.keys(owned.hosts) as Host[],
    frozen: new Map(),
    watch: undefined,
    distrusted: false,
    finalizing: false,
    protectedHosts: [],
    blocked: new Map(),
    contended: new Map(),
    moving: new Map(),
    approvals: [],
    now: NOW,
    ...more,
  }
}

/** Makes a plan of such an input. */
export const plan = (...input: Parameters<typeof planInput>): Plan => makePlan(planInput(...input))

/** `h01.example.com` … */
export const hosts = (count: number, prefix = 'h'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(3, '0')}.example.com`)
