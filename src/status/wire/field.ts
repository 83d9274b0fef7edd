/** One node of a structural OpenAPI v3 schema. */
export type OpenApi = Record<string, unknown>

/**
 * One form of a value: as the program has it (`T`), and as it stands in an object of the cluster (JSON). What the
 * CustomResourceDefinition says of it, how it is written and how it is read are made from the same words, so that they agree.
 */
interface Wire<T, Json = unknown> {
  readonly schema: OpenApi
  /** `patch`: for a merge patch, where `null` takes out what is not there any more. Within lists nothing needs taking out. */
  encode(value: T, patch: boolean): Json
  /** Undefined for what is not of this form. */
  decode(raw: unknown): T | undefined
}

/** What one field of a record is. */
interface Field<T, Optional extends boolean = boolean> {
  wire: Wire<T>
  optional: Optional
  /** The schema asks for it. */
  required: boolean
  /** What stands for it where it cannot be read; without that, a record that lacks it cannot be read. */
  otherwise: T | undefined
}

/** A field that may be missing. */
export const optional = <T>(wire: Wire<T>): Field<T, true> => ({ ...always(wire), optional: true })

/** A field that is always written, and that the schema does not ask for. */
export const always = <T>(wire: Wire<T>, otherwise?: NoInfer<T>): Field<T, false> => field(wire, false, otherwise)

/** A field that the schema asks for. */
export const required = <T>(wire: Wire<T>, otherwise?: NoInfer<T>): Field<T, false> => field(wire, true, otherwise)

const field = <T>(wire: Wire<T>, asked: boolean, otherwise: T | undefined): Field<T, false> => ({
  wire,
  optional: false,
  required: asked,
  otherwise,
})

type Fields = Record<string, Field<unknown>>
type ValueOf<F> = F extends Field<infer T> ? T : never

/** What a record of these fields is in the program. */
type RecordOf<F extends Fields> = {
  [N in keyof F as F[N]['optional'] extends true ? never : N]: ValueOf<F[N]>
} & { [N in keyof F as F[N]['optional'] extends true ? N : never]?: ValueOf<F[N]> | undefined }

/** The value that a wire form carries. */
export type Carried<W> = W extends Wire<infer T> ? T : never

/** What stands there as it is here. */
const plain = <T>(schema: OpenApi, decode: Wire<T>['decode']): Wire<T> => ({ schema, encode: (value) => value, decode })

/** A text. `says`: description and bounds for the schema. */
export const text = (says: OpenApi = {}): Wire<string> =>
  plain({ type: 'string', ...says }, (raw) => (typeof raw === 'string' ? raw : undefined))

/** One of these words. */
export const oneOf = <const W extends string>(words: readonly W[], description: string): Wire<W> =>
  plain({ type: 'string', enum: [...words], description }, (raw) => words.find((word) => word === raw))

/** A whole number. */
export const integer = (format: 'int32' | 'int64', says: OpenApi): Wire<number> =>
  plain({ type: 'integer', format, ...says }, (raw) => (typeof raw === 'number' ? raw : undefined))

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** A time: epoch ms here, RFC 3339 in whole seconds there, as Kubernetes writes its own. */
export function time(description: string): Wire<number> {
  return {
    schema: { type: 'string', format: 'date-time', description },
    encode: (value) => new Date(value).toISOString().replace(/\.\d+Z$/, 'Z'),
    decode(raw) {
      const at = typeof raw === 'string' && RFC3339.test(raw) ? Date.parse(raw) : Number.NaN
      return Number.isNaN(at) ? undefined : at
    },
  }
}

/** Any number of texts. */
export const texts = (description: string): Wire<readonly string[]> =>
  plain({ type: 'array', items: { type: 'string' }, description }, list(text(), {}).decode)

/** Any number of the same. */
export function list<T>(item: Wire<T>, says: OpenApi): Wire<readonly T[]> {
  return {
    schema: { type: 'array', ...says, items: item.schema },
    encode: (values) => values.map((value) => item.encode(value, false)),
    decode(raw) {
      if (!Array.isArray(raw)) return undefined
      const values = raw.map((each) => item.decode(each))
      return values.every((value) => value !== undefined) ? values : undefined
    },
  }
}

/** Fields by name. */
export function record<F extends Fields>(fields: F, says: OpenApi = {}): Wire<RecordOf<F>, Record<string, unknown>> {
  const entries = Object.entries(fields)
  const asked = entries.filter(([, each]) => each.required).map(([name]) => name)
  return {
    schema: {
      type: 'object',
      ...says,
      ...(asked.length === 0 ? {} : { required: asked }),
      properties: Object.fromEntries(entries.map(([name, { wire }]) => [name, wire.schema])),
    },
    encode(value, patch) {
      const encoded: Record<string, unknown> = {}
      for (const [name, { wire }] of entries) {
        const own = (value as Record<string, unknown>)[name]
        if (own !== undefined) encoded[name] = wire.encode(own, patch)
        else if (patch) encoded[name] = null
      }
      return encoded
    },
    decode(raw) {
      if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
      const decoded: Record<string, unknown> = {}
      for (const [name, { wire, optional: may, otherwise }] of entries) {
        const own = wire.decode((raw as Record<string, unknown>)[name]) ?? otherwise
        if (own !== undefined) decoded[name] = own
        else if (!may) return undefined
      }
      return decoded as RecordOf<F>
    },
  }
}
