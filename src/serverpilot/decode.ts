import { z } from 'zod'
import { type Decoded, decodeJson, decodeJsonList, faultsOf } from './json.ts'
import type { Server, ServerPilotApp, Ssl } from './serverpilot.ts'

/** Reads the text of an answer; a long one with a `turn` of the event loop now and then. */
export type Decoder<T> = (text: string, turn: () => Promise<void>) => Decoded<T> | Promise<Decoded<T>>

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

// Only the first fault: a list of a million numbers would have a million.
const texts = z
  .array(z.unknown())
  .superRefine((list, { addIssue }) => {
    const wrong = list.findIndex((each) => typeof each !== 'string')
    if (wrong !== -1) addIssue({ code: 'custom', path: [wrong], message: 'Invalid input: expected string' })
  })
  .transform((list) => list as string[])

const autosslSchema = z
  .object({ available: z.boolean(), domains: texts.nullish() })
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
    domains: texts,
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
export const decodeApps: Decoder<ServerPilotApp[]> = (text, turn) => decodeJsonList(text, appSchema, turn)
/** `GET /apps/:id`. */
export const decodeApp = decoderOfData(appSchema)
/** `GET /servers/:id`. */
export const decodeServer = decoderOfData(serverSchema)
/** `POST /apps/:id` and `POST /apps/:id/ssl`: the id of the action; undefined unless a server has to be configured. */
export const decodeWrite: Decoder<string | undefined> = (text) => decodeJson(text, writeSchema)
/** `GET /actions/:id`: the status, as the API spells it. */
export const decodeAction = decoderOfData(actionSchema)

/** The message of `{"error": {"message": …}}`; undefined when the body is anything else. */
export function decodeErrorMessage(text: string): string | undefined {
  const decoded = decodeJson(text, errorAnswer)
  return decoded.ok ? decoded.value : undefined
}

function decoderOfData<T>(schema: z.ZodType<T>): Decoder<T> {
  const answer = z.object({ data: schema }).transform(({ data }) => data)
  return (text) => decodeJson(text, answer)
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
