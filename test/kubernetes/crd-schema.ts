import type { Kind } from '../../src/api/schema.ts'
import { customResourceDefinitions } from '../../src/status/crd.ts'
import type { OpenApi } from '../../src/status/wire/field.ts'

/** A way into an object: names of fields, and the first item of lists. */
export type Path = readonly (string | 0)[]

/** One field of an object's schema. */
export interface Field {
  path: Path
  schema: OpenApi
  /** Whether the object above it must have it. */
  required: boolean
}

/** The schema of a kind's `spec` or `status`, as the CustomResourceDefinition has it. */
export function schemaOf(kind: Kind, part: 'spec' | 'status'): OpenApi {
  const crd = customResourceDefinitions().find(({ spec }) => (spec.names as { kind: string }).kind === kind)
  const versions = crd?.spec.versions as [{ schema: { openAPIV3Schema: OpenApi } }]
  return propertiesOf(versions[0].schema.openAPIV3Schema)[part] as OpenApi
}

/** Every field below `path`, itself first; of lists the first item. */
export function fieldsOf(schema: OpenApi, path: Path, required = true): Field[] {
  const needed = (schema.required ?? []) as string[]
  return [
    { path, schema, required },
    ...Object.entries(propertiesOf(schema)).flatMap(([name, inner]) =>
      fieldsOf(inner, [...path, name], needed.includes(name)),
    ),
    ...(schema.items === undefined ? [] : fieldsOf(schema.items as OpenApi, [...path, 0], false)),
  ]
}

/** As the API server writes a path: `spec.appRef.name`, `spec.protectedDomains[0]`. */
export const pathText = (path: Path): string =>
  path.map((step, index) => (step === 0 ? '[0]' : index === 0 ? step : `.${step}`)).join('')

/** A copy of an object with `value` at a path; undefined takes the field away. */
export function withValue<T>(object: T, path: Path, value: unknown): T {
  const copy = structuredClone(object)
  let at = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  const last = path.at(-1) as string | number
  if (value === undefined) delete at[last]
  else at[last] = value
  return copy
}

const propertiesOf = (schema: OpenApi): Record<string, OpenApi> => (schema.properties ?? {}) as Record<string, OpenApi>
