import { REDACTED } from '../log/redact.ts'
import { ServerPilotError } from './errors.ts'
import type { Credentials } from './serverpilot.ts'

/**
 * Credentials without the blanks and newlines at their ends that `echo` and editors leave behind. Throws `CredentialsInvalid`, naming
 * the field and its `origin` ("Secret wordpress/serverpilot") but not its value, when one is empty or cannot be right, or one stands
 * in the place of the other: Basic auth would hide such a fault in base64, and it would only ever show as a 401.
 */
export function cleanCredentials(raw: Credentials, origin: string): Credentials {
  const clientId = cleanField('clientId', raw.clientId, origin)
  const apiKey = cleanField('apiKey', raw.apiKey, origin)
  if (!isClientId(apiKey) || isClientId(clientId)) return { clientId, apiKey }
  throw new ServerPilotError({
    reason: 'CredentialsInvalid',
    message: `clientId and apiKey of ${origin} are the wrong way round: it is the client id that begins with cid_. No call was made. Swap them.`,
  })
}

/** Client ids begin so, and keys do not. */
const isClientId = (text: string): boolean => text.trim().startsWith('cid_')

/** A client id, for messages. What does not look like one may be the key in the wrong place, and is not shown. */
export const shownClientId = (clientId: string): string => (isClientId(clientId) ? clientId.trim() : REDACTED)

/** What must not be shown of credentials, without the blanks around it: the key, and a client id that may be it. */
export const secretsOf = ({ clientId, apiKey }: Credentials): string[] =>
  (isClientId(clientId) ? [apiKey] : [apiKey, clientId]).map((each) => each.trim())

function cleanField(field: keyof Credentials, raw: string, origin: string): string {
  const value = raw.trim()
  const fault = faultOf(field, value)
  if (fault === undefined) return value
  throw new ServerPilotError({
    reason: 'CredentialsInvalid',
    message: `${field} of ${origin} ${fault}. No call was made. Copy it again from ServerPilot, Account, API.`,
  })
}

function faultOf(field: keyof Credentials, value: string): string | undefined {
  if (value === '') return 'is empty'
  if (/\s/.test(value)) return 'has a blank or a line break inside'
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'has a control character inside'
  if (/[^\u0021-\u007e]/.test(value)) return 'has a character that is not ASCII, perhaps an invisible one'
  // In Basic auth the first colon ends the user name: RFC 7617, section 2.
  if (field === 'clientId' && value.includes(':')) return 'has a colon inside'
  return undefined
}

/** The value of the `Authorization` header: Basic, user = client id, password = API key (official API documentation). Secret. */
export function basicAuthorization({ clientId, apiKey }: Credentials): string {
  return `Basic ${Buffer.from(`${clientId}:${apiKey}`).toString('base64')}`
}

/** Every form in which a secret can stand in a text that somebody sends back to us, but for those that redaction makes of each. */
export function secretForms(credentials: Credentials): string[] {
  const encoded = basicAuthorization(credentials).slice('Basic '.length)
  const secrets = secretsOf(credentials).flatMap((each) => [each, Buffer.from(each).toString('base64')])
  return [...secrets, encoded, encoded.replace(/=+$/, '')]
}
