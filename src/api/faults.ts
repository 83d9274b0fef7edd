import { distance } from 'fastest-levenshtein'
import { z } from 'zod'

/** The way to a field from the top of its object: `['spec', 'dns', 'expectedAddresses', 0]`. */
export type FieldPath = (string | number)[]

/** One thing that is wrong with one field. The message is a clause that follows the field's name. */
export interface FieldFault {
  path: FieldPath
  message: string
}

/** A field as users write it in messages: `spec.dns.expectedAddresses[0]`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    const name = /^[A-Za-z_$][\w$-]*$/.test(part) ? part : JSON.stringify(part)
    return text === '' ? name : `${text}.${name}`
  }, '')
}

/** A fault as one line: `spec.ssl.auto must be true or false, not the text "yes"`. */
export function formatFault(fault: FieldFault): string {
  return fault.path.length === 0 ? `the object ${fault.message}` : `${formatPath(fault.path)} ${fault.message}`
}

/** The nearest of the known names, where one is near enough that it was probably meant; letter case does not count. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3))
  let best: { name: string; distance: number } | undefined
  for (const candidate of known) {
    const apart = distance(name.toLowerCase(), candidate.toLowerCase())
    if (apart <= limit && (best === undefined || apart < best.distance)) best = { name: candidate, distance: apart }
  }
  return best?.name
}

/**
 * Validates a value; gives the output, or every fault in words for users. `prefix` is the value's own path. With `passOver`, unknown
 * fields are no fault: it gets their paths, lists without their numbers.
 */
export function validate<T extends z.ZodType>(
  schema: T,
  value: unknown,
  prefix: FieldPath,
  passOver?: (field: string) => void,
): { ok: true; value: z.output<T> } | { ok: false; faults: FieldFault[] } {
  const result = schema.safeParse(value)
  if (result.success) return { ok: true, value: result.data }
  const unknown = passOver === undefined ? [] : result.error.issues.filter((each) => each.code === 'unrecognized_keys')
  if (unknown.length > 0) {
    const known = structuredClone(value)
    for (const { path, keys } of unknown) {
      const at = valueAt(known, path as FieldPath) as Record<string, unknown>
      for (const key of keys) {
        delete at[key]
        passOver?.(formatPath([...prefix, ...(path as FieldPath), key]).replace(/\[\d+\]/g, '[]'))
      }
    }
    return validate(schema, known, prefix)
  }
  return { ok: false, faults: result.error.issues.flatMap((issue) => inWords(issue, schema, value, prefix)) }
}

function inWords(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, prefix: FieldPath): FieldFault[] {
  const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const path = [...prefix, ...inner]
  const found = valueAt(value, inner)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownField(key, schema, inner, prefix) }))
  }
  if (found === undefined) return [{ path, message: `is missing${purpose(schema, inner)}` }]
  if (issue.code === 'invalid_type') return [{ path, message: wrongType(issue.expected, found, issue.message) }]
  if (issue.code === 'invalid_value') return [{ path, message: wrongChoice(issue.values.map(String), found) }]
  const shown =
    !/, not |^is empty|^is not a valid host name/.test(issue.message) &&
    (typeof found === 'string' || typeof found === 'number')
  return [{ path, message: shown ? `${issue.message}, not ${describe(found)}` : issue.message }]
}

function unknownField(key: string, schema: z.ZodType, at: FieldPath, prefix: FieldPath): string {
  if (key === '<<') return 'is a merge key of YAML 1.1; write the fields out'
  const siblings = Object.keys(fieldsOf(schemaAt(schema, at)))
  const near = nearest(key, siblings)
  if (near !== undefined) return `is not a known field; did you mean ${near}?`
  const elsewhere = findField(schema, key, prefix)
  if (elsewhere !== undefined) return `is not a field here; it belongs at ${elsewhere}`
  return `is not a known field; there are ${siblings.join(', ')}`
}

const EXPECTED: Record<string, string> = {
  boolean: 'true or false',
  object: 'a map of fields',
  record: 'a map of fields',
  array: 'a list',
  int: 'a number',
  number: 'a number',
}

function wrongType(expected: string, found: unknown, message: string): string {
  const not = `, not ${describe(found)}`
  if (message.startsWith('must be')) return `${message}${not}`
  if (expected === 'string') return mustBeString(found)
  const quoted = expected === 'boolean' && typeof found === 'string' && /^(true|false)$/i.test(found)
  const words = EXPECTED[expected] ?? `of type ${expected}`
  return `must be ${words}${not}${quoted ? '; write it without quotes' : ''}`
}

function mustBeString(found: unknown): string {
  // `{{ .Values.x }}` is valid YAML: a map whose one key is a map.
  if (isMap(found) && Object.keys(found).some((key) => key.startsWith('{'))) {
    return 'must be a string; it looks like an unrendered template ({{ … }}): render the file first, or quote the value'
  }
  const unquoted = typeof found === 'number' || typeof found === 'boolean'
  return `must be a string, not ${describe(found)}${unquoted ? '; put it in quotes' : ''}`
}

function wrongChoice(choices: string[], found: unknown): string {
  const near = typeof found === 'string' ? nearest(found, choices) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return `must be one of ${choices.join(', ')}, not ${describe(found)}${hint}`
}

/** Whether a value is a map of fields. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value for a message: its type, and itself where it is short. */
export function describe(value: unknown): string {
  if (value === null) return 'nothing (the value is empty)'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)}`
  return typeof value === 'number' ? `the number ${value}` : String(value)
}

function purpose(schema: z.ZodType, path: FieldPath): string {
  const text = schemaAt(schema, path)?.description
  return text === undefined ? '' : ` (${text.replace(/\.$/, '')})`
}

function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((at, part) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    return (at as Record<string | number, unknown>)[part]
  }, value)
}

/** The schema of a field; wrappers (optional, default, transform) are looked through but keep their description. */
function schemaAt(schema: z.ZodType | undefined, path: FieldPath): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((at, part) => {
    if (typeof part === 'string') return fieldsOf(at)[part]
    const inner = unwrap(at)
    return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined
  }, schema)
}

function fieldsOf(schema: z.ZodType | undefined): Record<string, z.ZodType> {
  const inner = unwrap(schema)
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : {}
}

function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  const def = schema?.def as { innerType?: z.ZodType; in?: z.ZodType } | undefined
  const inner = def?.innerType ?? def?.in
  return inner === undefined ? schema : unwrap(inner)
}

/** Where a field of this very name stands in the schema, for fields written at the wrong depth. */
function findField(schema: z.ZodType, name: string, path: FieldPath): string | undefined {
  const fields = fieldsOf(schema)
  if (Object.hasOwn(fields, name)) return formatPath([...path, name])
  for (const [field, inner] of Object.entries(fields)) {
    const found = findField(inner, name, [...path, field])
    if (found !== undefined) return found
  }
  return undefined
}
