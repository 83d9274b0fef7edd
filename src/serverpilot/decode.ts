import { z } from 'zod'
import type { Server, ServerPilotApp, Ssl } from './serverpilot.ts'

/** What a body says, or why it says nothing. `problem` never holds anything of the body but the names of fields. */
export type Decoded<T> = { ok: true; value: T } | { ok: false; problem: string }

/** Reads the text of an answer. */
export type Decoder<T> = (text: string) => Decoded<T>

const flag = z
  .boolean()
  .nullish()
  .transform((on) => on ?? false)

// `key` is the private key. It is not named here, and zod leaves out what is not named: so it ends with the call.
const sslSchema = z
  .object({ auto: flag, force: flag, cert: z.string().nullish() })
  .transform(({ cert, ...ssl }): Ssl => ({ ...ssl, ...(cert ? { cert } : {}) }))
  .nullish()
  .transform((ssl) => ssl ?? null)

const autosslSchema = z
  .object({ available: z.boolean(), domains: z.array(z.string()).nullish() })
  .transform(({ available, domains }) => ({ available, ...(domains ? { domains } : {}) }))
  .nullish()

/** A field that only some steps need: when it cannot be read, those say so, and all others go on. */
const apart = <T>(schema: z.ZodType<T>, otherwise: T) =>
  z
    .unknown()
    .optional()
    .transform((value): { value: T; problem?: string } => {
      const read = schema.safeParse(value)
      return read.success ? { value: read.data } : { value: otherwise, problem: faultsOf(read.error) }
    })

const appSchema = z
  .object({
    id: z.string().min(1),
    // For people alone.
    name: z.string().catch(''),
    serverid: z.string().min(1),
    // Never optional: a list written on a list that was wrongly taken for empty drops every domain that is not ours.
    domains: z.array(z.string()),
    ssl: apart(sslSchema, null),
    autossl: apart(autosslSchema, null),
  })
  .transform(({ id, name, serverid, domains, ssl, autossl }): ServerPilotApp => {
    const unread = {
      ...(ssl.problem === undefined ? {} : { ssl: `ssl: ${ssl.problem}` }),
      ...(autossl.problem === undefined ? {} : { autossl: `autossl: ${autossl.problem}` }),
    }
    return {
      ...{ id, name, serverId: serverid, domains, ssl: ssl.value },
      ...(autossl.value ? { autossl: autossl.value } : {}),
      ...(Object.keys(unread).length === 0 ? {} : { unread }),
    }
  })

const serverSchema = z
  .object({
    id: z.string().min(1),
    name: z.string().catch(''),
    plan: z.string().nullish().catch(''),
    lastaddress: z.string().nullish(),
  })
  .transform(({ id, name, plan, lastaddress }): Server => {
    return { id, name, plan: plan ?? '', ...(lastaddress ? { lastAddress: lastaddress } : {}) }
  })

const writeSchema = z
  .object({
    actionid: z.string().nullish(),
    // What was written is read back by the caller; here it only shows that ServerPilot answered, and nobody else.
    data: z.union([z.object({}), z.array(z.unknown()), z.null()]),
  })
  .transform(({ actionid }) => actionid || undefined)

const actionSchema = z.object({ status: z.string() }).transform(({ status }) => status)

const errorAnswer = z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message)

/** `GET /apps`: every app, or a problem when a single one cannot be read; never part of the list. */
export const decodeApps = decoderOfData(z.array(appSchema))
/** `GET /apps/:id`. */
export const decodeApp = decoderOfData(appSchema)
/** `GET /servers/:id`. */
export const decodeServer = decoderOfData(serverSchema)
/** `POST /apps/:id` and `POST /apps/:id/ssl`: the id of the action; undefined unless a server has to be configured. */
export const decodeWrite: Decoder<string | undefined> = (text) => decode(text, writeSchema)
/** `GET /actions/:id`: the status, as the API spells it. */
export const decodeAction = decoderOfData(actionSchema)

/** The message of `{"error": {"message": …}}`; undefined when the body is anything else. */
export function decodeErrorMessage(text: string): string | undefined {
  const decoded = decode(text, errorAnswer)
  return decoded.ok ? decoded.value : undefined
}

function decoderOfData<T>(schema: z.ZodType<T>): Decoder<T> {
  const answer = z.object({ data: schema }).transform(({ data }) => data)
  return (text) => decode(text, answer)
}

function decode<T>(text: string, schema: z.ZodType<T>): Decoded<T> {
  // The replacement character stands for bytes that are not UTF-8: a name read so could not be written back as it was.
  if (text.includes('\ufffd')) return { ok: false, problem: 'text that is not UTF-8' }
  if (text.trim() === '') return { ok: false, problem: 'an empty body' }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    // Its message quotes the text, which can hold a private key.
    return { ok: false, problem: nameOf(text) }
  }
  const result = schema.safeParse(body)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, problem: `JSON of another shape (${faultsOf(result.error, 'the body')})` }
}

/** The first faults of a value, by the names of fields; `itself`: the name of the whole. Never anything of the value. */
function faultsOf({ issues }: z.ZodError, itself?: string): string {
  const faults = issues.slice(0, 3).map(({ path, message }) => {
    const where = path.join('.') || itself
    return where === undefined ? message : `${where}: ${message}`
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

/**
 * The first readable words of a body that is not JSON: HTML without its tags, in full length. Of JSON nothing: anything
 * in it may be secret. `text` is scrubbed already.
 */
export function readableWords(text: string): string | undefined {
  if (/^\s*[[{"]/.test(text)) return undefined
  const words = text
    .replace(/<(script|style)\b[\s\S]*?(<\/\1\s*>|$)/gi, ' ')
    .replace(/<[^>]*>?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return words === '' ? undefined : words
}
