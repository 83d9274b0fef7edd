import { z } from 'zod'
import { type FieldFault, validate } from './faults.ts'
import { objectMeta } from './schema.ts'

/** A `Secret` of the cluster or of a file, decoded. */
export interface Secret {
  namespace: string
  name: string
  /** Values as text, by key. */
  values: Record<string, string>
}

const secretSchema = z.looseObject({
  metadata: objectMeta,
  data: z.record(z.string(), z.string()).nullish(),
  stringData: z.record(z.string(), z.string()).nullish(),
})

/** Decodes a v1 `Secret`: `data` in base64, over it `stringData`. Messages never show a value. */
export function decodeSecret(
  value: unknown,
  where: { namespace?: string },
): { ok: true; secret: Secret } | { ok: false; faults: FieldFault[] } {
  const parsed = validate(secretSchema, value, [])
  if (!parsed.ok) return { ok: false, faults: parsed.faults.map(withoutValue) }
  const { metadata, data, stringData } = parsed.value
  const values: Record<string, string> = {}
  const faults: FieldFault[] = []
  for (const [key, encoded] of Object.entries(data ?? {})) {
    const plain = encoded.replace(/\s/g, '')
    if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)) {
      values[key] = Buffer.from(plain, 'base64').toString('utf8')
    } else faults.push({ path: ['data', key], message: 'is not base64; write plain text under stringData instead' })
  }
  if (faults.length > 0) return { ok: false, faults }
  const namespace = metadata.namespace ?? where.namespace ?? 'default'
  return { ok: true, secret: { namespace, name: metadata.name, values: { ...values, ...stringData } } }
}

function withoutValue(fault: FieldFault): FieldFault {
  if (fault.path[0] === 'metadata') return fault
  return {
    path: fault.path,
    message: fault.message.replace(/, not (?:the (?:text|number) .*?|true|false)(;|$)/s, '$1'),
  }
}
