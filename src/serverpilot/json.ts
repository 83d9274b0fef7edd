import { z } from 'zod'
import { elementsOf } from './elements.ts'

/** What a body says, or why it says nothing. `problem` never holds anything of the body but the names of fields. */
export type Decoded<T> = { ok: true; value: T } | { ok: false; problem: string }

/** Lets the event loop turn. */
type Turn = () => Promise<void>

/**
 * The longest body about one app, and the longest app in a list; in bytes of one, in characters of the other. One of 1,000 domains of the
 * longest kind, with a certificate, stays below; whatever stands in it is parsed in less than 100 ms.
 */
export const LONGEST = 1024 * 1024

/** So much of a list is read between two turns of the event loop, in characters. */
const READ_AT_ONCE = 256 * 1024

/** Reads a body of JSON. */
export function decodeJson<T>(text: string, schema: z.ZodType<T>): Decoded<T> {
  if (text.trim() === '') return { ok: false, problem: 'an empty body' }
  const parsed = parse(text)
  return parsed.ok ? check(parsed.value, schema, []) : parsed
}

/** Reads `{"data": [ … ]}`, each element by `schema`; a problem when a single one cannot be read, never part of the list. */
export async function decodeJsonList<T>(text: string, schema: z.ZodType<T>, turn: Turn): Promise<Decoded<T[]>> {
  const values: T[] = []
  let sinceTurn = 0
  try {
    for (const element of elementsOf(text, LONGEST)) {
      const parsed = parse(element, text)
      if (!parsed.ok) return parsed
      const checked = check(parsed.value, schema, ['data', values.length])
      if (!checked.ok) return checked
      values.push(checked.value)
      sinceTurn += element.length
      if (sinceTurn < READ_AT_ONCE) continue
      await turn()
      sinceTurn = 0
    }
    return { ok: true, value: values }
  } catch (error) {
    return { ok: false, problem: error instanceof RangeError ? error.message : whyNoList(text) }
  }
}

function whyNoList(text: string): string {
  const whole = text.length > LONGEST ? undefined : decodeJson(text, z.object({ data: z.array(z.unknown()) }))
  return whole?.ok === false ? whole.problem : nameOf(text)
}

/** `whole`: what the text is part of, for the words. */
function parse(text: string, whole = text): Decoded<unknown> {
  // The replacement character stands for bytes that are not UTF-8: a name read so could not be written back as it was.
  if (text.includes('\ufffd')) return { ok: false, problem: 'text that is not UTF-8' }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    // Its message quotes the text, which can hold a private key.
    return { ok: false, problem: nameOf(whole) }
  }
}

function check<T>(value: unknown, schema: z.ZodType<T>, place: readonly PropertyKey[]): Decoded<T> {
  const result = schema.safeParse(value)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, problem: `JSON of another shape (${faultsOf(result.error, place, 'the body')})` }
}

/** The first faults of a value at `place`, by the names of fields; `itself`: the name of the whole. Never anything of the value. */
export function faultsOf({ issues }: z.ZodError, place: readonly PropertyKey[] = [], itself = ''): string {
  const faults = issues.slice(0, 3).map(({ path, message }) => {
    const where = [...place, ...path].join('.') || itself
    return where === '' ? message : `${where}: ${message}`
  })
  return faults.join('; ')
}

function nameOf(text: string): string {
  const start = text.trimStart().slice(0, 200).toLowerCase()
  if (start.startsWith('{') || start.startsWith('['))
    return `JSON that breaks off or is malformed (${text.length} characters)`
  if (start.startsWith('<')) return 'HTML or XML instead of JSON'
  return 'text instead of JSON'
}
