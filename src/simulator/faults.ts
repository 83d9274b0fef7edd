/** Faults by rule: which calls go wrong, how often, and how. Deciding only; what a fault does to a call stands in serve.ts and spoil.ts. */
import * as z from 'zod'
import { ENDPOINTS, type Endpoint } from './router.ts'

/** Everything that can go wrong with a call. docs/simulator.md says what each does. */
export const FAULT_KINDS = [
  'status',
  'statusAfter',
  'html502',
  'html502After',
  'html200',
  'redirect',
  'rateLimited',
  'timeoutBefore',
  'timeoutAfter',
  'timeoutLate',
  'resetBefore',
  'resetAfter',
  'truncated',
  'malformed',
  'stale',
  'empty',
  'droppedWrite',
  'slow',
  'otherWriter',
  'actionError',
  'actionStuck',
] as const

/** One of the kinds. */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** What an `empty` answer lacks, under 200. */
export type EmptyVariant = 'domains' | 'missing' | 'wrongType' | 'halved' | 'null' | 'list' | 'body'

/** Which calls go wrong, and how. A rule without `method`, `path` and `app` matches every call. */
export interface FaultRule {
  kind: FaultKind
  method?: string
  /** Name of the endpoint. */
  path?: Endpoint
  /** Id of the app in the path. With `path: 'listApps'`: the app that `stale`, `empty` and `otherWriter` mean; all by default. */
  app?: string
  /** Default 1. */
  times?: number | 'always'
  /** Matching calls that pass before the first fault. Default 0. */
  after?: number
  /** From 0 to 1, for each matching call. Default 1. */
  probability?: number
  /** `status`, `statusAfter`: default 500. `redirect`: default 302. */
  status?: number
  /** `status`, `statusAfter`: the API's words. */
  message?: string
  /** `slow`: how long, default 1000. `timeoutLate`: when the effect comes, default 1000. */
  ms?: number
  /** `rateLimited`: seconds in `Retry-After`, default 1; null: no such header. */
  retryAfter?: number | null
  /** `redirect`: default the path itself on this simulator. */
  location?: string
  /** `empty`: default `domains`. */
  variant?: EmptyVariant
  /** `otherWriter`: names that it adds and removes. */
  add?: string[]
  remove?: string[]
  /** `otherWriter`: before or after the effect of the call; default before a write and after a read. */
  moment?: 'before' | 'after'
}

/** A rule with what became of it. */
export interface ActiveFault extends FaultRule {
  id: number
  /** Matching calls so far, and those that went wrong. */
  matched: number
  fired: number
}

/** What of a call a rule looks at. */
export interface FaultTarget {
  method: string
  endpoint: Endpoint
  app: string | undefined
}

/** The faults of one simulator. */
export interface Faults {
  /** Adds a rule; returns its number. Throws an Error for a rule that makes no sense. */
  add(rule: FaultRule): number
  clear(): void
  list(): ActiveFault[]
  /** The rules that this call falls under, and counts them as fired. */
  take(target: FaultTarget): TakenFaults
}

/** Any number of rules that change a call, and at most one that answers it. */
export interface TakenFaults {
  modifiers: FaultRule[]
  answering: FaultRule | undefined
}

/** Rules as JSON, for the control API. */
export const faultRuleSchema: z.ZodType<FaultRule> = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  method: z.string().exactOptional(),
  path: z.enum(ENDPOINTS).exactOptional(),
  app: z.string().exactOptional(),
  times: z.union([z.int().min(1), z.literal('always')]).exactOptional(),
  after: z.int().min(0).exactOptional(),
  probability: z.number().min(0).max(1).exactOptional(),
  status: z.int().min(200).max(599).exactOptional(),
  message: z.string().exactOptional(),
  ms: z.number().min(0).exactOptional(),
  retryAfter: z.int().min(0).nullable().exactOptional(),
  location: z.string().exactOptional(),
  variant: z.enum(['domains', 'missing', 'wrongType', 'halved', 'null', 'list', 'body']).exactOptional(),
  add: z.array(z.string()).exactOptional(),
  remove: z.array(z.string()).exactOptional(),
  moment: z.enum(['before', 'after']).exactOptional(),
})

/** Kinds that change a call and leave it to others how it is answered; they combine. */
const MODIFIERS: ReadonlySet<FaultKind> = new Set(['slow', 'otherWriter', 'actionError', 'actionStuck', 'droppedWrite'])

/** Starts without rules. `random` gives numbers from 0 to below 1. */
export function createFaults(random: () => number): Faults {
  let rules: ActiveFault[] = []
  let last = 0
  return {
    add(rule) {
      const checked = faultRuleSchema.safeParse(rule)
      if (!checked.success) throw new Error(`fault rule: ${z.prettifyError(checked.error)}`)
      last += 1
      rules.push({ ...checked.data, id: last, matched: 0, fired: 0 })
      return last
    },
    clear() {
      rules = []
    },
    list: () => rules.map((rule) => ({ ...rule })),
    take(target) {
      const taken: TakenFaults = { modifiers: [], answering: undefined }
      for (const rule of rules) {
        const modifies = MODIFIERS.has(rule.kind)
        if (!matches(rule, target) || (taken.answering && !modifies)) continue
        rule.matched += 1
        if (rule.matched <= (rule.after ?? 0)) continue
        if (rule.times !== 'always' && rule.fired >= (rule.times ?? 1)) continue
        if (random() >= (rule.probability ?? 1)) continue
        rule.fired += 1
        if (modifies) taken.modifiers.push(rule)
        else taken.answering = rule
      }
      return taken
    },
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  if (rule.method !== undefined && rule.method.toUpperCase() !== target.method) return false
  if (rule.path !== undefined && rule.path !== target.endpoint) return false
  return (
    rule.app === undefined || rule.app === target.app || (rule.path === 'listApps' && target.endpoint === 'listApps')
  )
}
