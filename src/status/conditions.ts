import type { Kind } from '../api/schema.ts'
import { visible } from '../log/visible.ts'
import { isPart, type PartType, partsOf, type Row, rankOf } from './condition-types.ts'
import { failureOf, type Outcome } from './outcome.ts'
import { isRetryable, type Reason } from './reasons.ts'
import type { ConditionWire as Condition } from './wire/wire.ts'

/** What a step says of one condition; object and time are put in by `conditionsOf`. */
export interface Said {
  status: Condition['status']
  reason: Reason
  message: string
}

/** The same with its type and object; the time is worked out by `setCondition`. */
export interface ConditionInput extends Said {
  type: string
  observedGeneration: number
}

/** Where nothing is to be said but that all is well. */
export const FINE: Said = { status: 'True', reason: 'Succeeded', message: '' }

/** `False`, and why. */
export const denied = (reason: Reason, message: string): Said => ({ status: 'False', reason, message })

/** An object with conditions, where there is one. */
type Conditioned = { conditions: readonly Condition[] } | undefined

/** The condition of that type. */
export const conditionOf = (object: Conditioned, type: string): Condition | undefined =>
  object?.conditions.find((each) => each.type === type)

/** The API server takes 32,768 characters; bytes are never fewer than characters. */
export const MAX_MESSAGE_BYTES = 32_767

/** A message as a condition has it. */
export const shownMessage = (message: string): string => cutMessage(visible(message), MAX_MESSAGE_BYTES)

/**
 * The list with this condition put in, at its old position or at the end. `now` is epoch milliseconds and becomes
 * `lastTransitionTime` when, and only when, the status differs from before. The list that came in stays as it was.
 */
export function setCondition(list: readonly Condition[], input: ConditionInput, now: number): Condition[] {
  const before = list.find((condition) => condition.type === input.type)
  const next: Condition = {
    ...input,
    message: shownMessage(input.message),
    lastTransitionTime: before && before.status === input.status ? before.lastTransitionTime : now,
  }
  return before ? list.map((condition) => (condition === before ? next : condition)) : [...list, next]
}

/**
 * The list with `Ready`, `Reconciling` and `Stalled` (kstatus) worked out from the others and put in front, the others after
 * them in the order of the table. `generation` is the one that the object has now: a part that speaks of an older one counts
 * as `Unknown, Progressing`.
 *
 * | parts | Ready | Reconciling | Stalled |
 * |---|---|---|---|
 * | nothing stands in the way | True | False | False |
 * | one is False for a reason that waits for a person | False | False | True |
 * | one is False, all for reasons that may pass | False | True | False |
 * | one is Unknown for a reason that may pass | Unknown | True | False |
 * | one is Unknown because a person said so (suspended) | Unknown | False | False |
 */
export function summarize(kind: Kind, list: readonly Condition[], generation: number, now: number): Condition[] {
  const blocking = partsOf(kind).flatMap((part) => blocker(part, list, generation))
  const failed = blocking.filter((condition) => condition.status === 'False')
  const stalled = failed.find((condition) => !isRetryable(condition.reason))
  const cause = stalled ?? failed[0] ?? blocking.find(({ reason }) => !isRetryable(reason)) ?? blocking[0]
  const { reason, message } = (cause ?? FINE) as Said
  const reconciling = cause !== undefined && stalled === undefined && isRetryable(reason)

  let next = list
  const put = (type: string, status: Condition['status'], said: string) => {
    next = setCondition(next, { type, status, reason, message: said, observedGeneration: generation }, now)
  }
  put('Ready', cause?.status ?? 'True', message)
  put('Reconciling', reconciling ? 'True' : 'False', reconciling ? message : '')
  put('Stalled', stalled ? 'True' : 'False', stalled ? message : '')
  return next.toSorted((a, b) => rankOf(a.type) - rankOf(b.type))
}

/** What steps say of the conditions of an object of this kind: of each its words, or undefined for nothing. */
export type Parts<K extends Kind> = Record<PartType<K>, Said | undefined>

/** The list after a reconcile: a part of which nothing is said goes, the rest is worked out. */
export function conditionsOf<K extends Kind>(
  kind: K,
  generation: number,
  before: Conditioned,
  parts: Partial<Parts<K>>,
  now: number,
): Condition[] {
  const said = parts as Record<string, Said | undefined>
  let list = (before?.conditions ?? []).filter(({ type }) => said[type] !== undefined || !isPart(type))
  for (const { type } of partsOf(kind)) {
    const words = said[type]
    if (words !== undefined) list = setCondition(list, { type, ...words, observedGeneration: generation }, now)
  }
  return summarize(kind, list, generation, now)
}

/** What was said of a part before; undefined when nothing was. */
export function keptOf(before: Conditioned, type: PartType): Said | undefined {
  const last = conditionOf(before, type)
  return last && { status: last.status, reason: last.reason as Reason, message: last.message }
}

/** A condition that the attempt did not get to see (`seen`), as it failed before: it stays as it was said last. */
export function unseen(outcome: Outcome, seen: boolean, before: Conditioned, type: PartType): Said | undefined {
  return failureOf(outcome) === undefined || seen ? undefined : keptOf(before, type)
}

/** The condition of that part if it stands in the way of Ready, made up where there is none or only an outdated one. */
function blocker(part: Row, list: readonly Condition[], generation: number): Condition[] {
  const found = conditionOf({ conditions: list }, part.type)
  if (found === undefined && part.weight === 'checked') return []
  if (found === undefined || found.observedGeneration < generation) {
    const message = `${part.type} is being worked out`
    const base = { type: part.type, observedGeneration: generation, lastTransitionTime: 0 }
    return [{ ...base, status: 'Unknown', reason: 'Progressing', message }]
  }
  if (found.status === 'True') return []
  const denies = found.status === 'False' || part.weight === 'required' || found.reason === 'Progressing'
  return denies ? [found] : []
}

/** The text in at most `maxBytes` bytes of UTF-8, cut between characters, with a note that it goes on. */
export function cutMessage(text: string, maxBytes: number): string {
  // No character takes more than three bytes for each of its UTF-16 units.
  if (3 * text.length <= maxBytes) return text
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= maxBytes) return text
  const note = ' … (cut)'
  let end = Math.max(0, maxBytes - new TextEncoder().encode(note).length)
  // A byte of the form 10xxxxxx continues a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return new TextDecoder().decode(bytes.subarray(0, end)) + note
}
