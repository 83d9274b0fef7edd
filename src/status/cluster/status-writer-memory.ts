import { createHash } from 'node:crypto'
import type { StatusFields } from '../wire/wire.ts'

/** What is remembered of what stands in an object, in few bytes: there may be 30,000. */
export interface Known {
  uid: string | undefined
  /** Undefined when we cannot know. */
  digest: string | undefined
  since: Since
}

/** Since when the conditions are as they are: a line `TYPE STATUS TIME` for each. */
export type Since = string

/** Reads it off a status. */
export function sinceOf(status: StatusFields): Since {
  const lines = listOf(status.conditions).map(({ type, status: is, lastTransitionTime: time }) => [type, is, time])
  return lines.flatMap((line) => (line.every((word) => typeof word === 'string') ? [line.join(' ')] : [])).join('\n')
}

/** After a restart nobody remembers since when a condition has been as it is; the object does. */
export function keepTransitionTimes(status: StatusFields, since: Since): StatusFields {
  const lines = since.split('\n')
  const conditions = listOf(status.conditions).map((condition) => {
    const start = `${condition.type} ${condition.status} `
    const same = lines.find((line) => line.startsWith(start))
    return same === undefined ? condition : { ...condition, lastTransitionTime: same.slice(start.length) }
  })
  return { ...status, conditions }
}

const listOf = (value: unknown): StatusFields[] => (Array.isArray(value) ? (value as StatusFields[]) : [])

/** The same for the same content: in whatever order its fields are, and with nulls, which a patch takes out. */
export function digestOf(status: StatusFields): string {
  const text = JSON.stringify(status, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}
