/** Faults by rule: which calls go wrong, how often, and how. Deciding only; what a fault does to a call stands in serve.ts and spoil.ts. */
import * as z from 'zod'
import type { CallRecord } from './calls.ts'
import { ENDPOINTS } from './router.ts'

/**
 * Everything that can go wrong with a call; docs/simulator.md says what each does. `instead`: it is answered, or not, without an effect;
 * `after`: its answer goes wrong once it took effect; `beside`: the call is changed, and others say how it is answered: these combine.
 */
const KINDS = {
  status: 'instead',
  statusAfter: 'after',
  html502: 'instead',
  html502After: 'after',
  html200: 'instead',
  redirect: 'instead',
  rateLimited: 'instead',
  timeoutBefore: 'instead',
  timeoutAfter: 'after',
  timeoutLate: 'instead',
  resetBefore: 'instead',
  resetAfter: 'after',
  truncated: 'after',
  malformed: 'after',
  stale: 'after',
  empty: 'after',
  droppedWrite: 'beside',
  slow: 'beside',
  otherWriter: 'beside',
  actionError: 'beside',
  actionStuck: 'beside',
} as const

/** One of the kinds. */
export type FaultKind = keyof typeof KINDS

export const FAULT_KINDS = Object.keys(KINDS) as readonly FaultKind[]

/** Whether a call that falls under the rule takes effect as usual. */
export const takesEffect = ({ kind }: FaultRule): boolean => KINDS[kind] !== 'instead'

/** Which calls go wrong, and how. A rule without `method`, `path` and `app` matches every call. */
export const faultRuleSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  method: z.string().exactOptional(),
  /** Name of the endpoint. */
  path: z.enum(ENDPOINTS).exactOptional(),
  /** Id of the app in the path. With `path: 'listApps'`: the app that `stale`, `empty` and `otherWriter` mean; all by default. */
  app: z.string().exactOptional(),
  /** Default 1. */
  times: z.union([z.int().min(1), z.literal('always')]).exactOptional(),
  /** Matching calls that pass before the first fault. Default 0. */
  after: z.int().min(0).exactOptional(),
  /** From 0 to 1, for each matching call. Default 1. */
  probability: z.number().min(0).max(1).exactOptional(),
  /** `status`, `statusAfter`: default 500. `redirect`: default 302. */
  status: z.int().min(200).max(599).exactOptional(),
  /** `status`, `statusAfter`: the API's words. */
  message: z.string().exactOptional(),
  /** `slow`: how long, default 1000. `timeoutLate`: when the effect comes, default 1000. */
  ms: z.number().min(0).exactOptional(),
  /** `rateLimited`: seconds in `Retry-After`, default 1; null: no such header. */
  retryAfter: z.int().min(0).nullable().exactOptional(),
  /** `redirect`: default the path itself on this simulator. */
  location: z.string().exactOptional(),
  /** `empty`: what the answer lacks, under 200; default `domains`. */
  variant: z.enum(['domains', 'missing', 'wrongType', 'halved', 'null', 'list', 'body']).exactOptional(),
  /** `otherWriter`: names that it adds and removes. */
  add: z.array(z.string()).exactOptional(),
  remove: z.array(z.string()).exactOptional(),
  /** `otherWriter`: before or after the effect of the call; default before a write and after a read. */
  moment: z.enum(['before', 'after']).exactOptional(),
})
export type FaultRule = z.infer<typeof faultRuleSchema>

/** A rule with what became of it. */
interface ActiveFault extends FaultRule {
  id: number
  /** Matching calls so far, and those that went wrong. */
  matched: number
  fired: number
}

/** What of a call a rule looks at. */
type FaultTarget = Pick<CallRecord, 'method' | 'endpoint' | 'app'>

/** The faults of one simulator. */
export type Faults = ReturnType<typeof createFaults>

/** Starts without rules. `random` gives numbers from 0 to below 1. */
export function createFaults(random: () => number) {
  let rules: ActiveFault[] = []
  let last = 0
  return {
    /** Adds a rule; returns its number. Throws an Error for a rule that makes no sense. */
    add(rule: FaultRule): number {
      const checked = faultRuleSchema.safeParse(rule)
      if (!checked.success) throw new Error(`fault rule: ${z.prettifyError(checked.error)}`)
      last += 1
      rules.push({ ...checked.data, id: last, matched: 0, fired: 0 })
      return last
    },
    clear(): void {
      rules = []
    },
    /** The rules with how often each has matched and fired. */
    list: (): ActiveFault[] => rules.map((rule) => ({ ...rule })),
    /** The rules that this call falls under, counted as fired: any number that change it, and at most one that answers it. */
    take(target: FaultTarget): { modifiers: FaultRule[]; answering: FaultRule | undefined } {
      const modifiers: FaultRule[] = []
      let answering: FaultRule | undefined
      for (const rule of rules) {
        const modifies = KINDS[rule.kind] === 'beside'
        if (!matches(rule, target) || (answering && !modifies)) continue
        rule.matched += 1
        if (rule.matched <= (rule.after ?? 0)) continue
        if (rule.times !== 'always' && rule.fired >= (rule.times ?? 1)) continue
        if (random() >= (rule.probability ?? 1)) continue
        rule.fired += 1
        if (modifies) modifiers.push(rule)
        else answering = rule
      }
      return { modifiers, answering }
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
