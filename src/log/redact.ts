/** What stands where something secret stood, in logs and in messages. */
export const REDACTED = '[redacted]'

/** Names of fields whose value is never written, lower case and without separators. */
const SECRET_NAMES = new Set([
  ...['key', 'apikey', 'privatekey', 'password', 'passwd', 'pass', 'pwd', 'secret', 'token', 'credentials'],
  ...['authorization', 'proxyauthorization', 'auth', 'cookie', 'setcookie'],
])
const SECRET_ENDINGS = ['apikey', 'privatekey', 'password', 'secret', 'token']

/** A secret shorter than this is replaced only where it is the whole value: inside of words it would blank out half the log. */
const SHORTEST_INSIDE = 4

const DEEPEST = 8

/**
 * A function that gives a copy of any value, fit to be written: plain data, every field with a secret's name and every known
 * secret in any string replaced, Errors as objects with their causes. `secrets` is asked at each call, since keys rotate.
 */
export function createRedactor(secrets: () => readonly string[]): (value: unknown) => unknown {
  return (value) => copy(value, createTextRedactor(secrets()), 0, new Set())
}

/** True when a field of this name holds a secret by its name alone. */
function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return SECRET_NAMES.has(plain) || SECRET_ENDINGS.some((ending) => plain.endsWith(ending))
}

/** Takes what is secret out of a text. */
export type RedactText = (text: string) => string

/** Replaces each of `secrets`, also escaped as in JSON or in a URL, and what looks like a credential whatever its value. */
export function createTextRedactor(secrets: readonly string[]): RedactText {
  const known = secrets.filter((secret) => secret !== '')
  const whole = new Set(known)
  // The longest first: a secret that contains another one must not leave its rest behind.
  const inside = [...new Set(known.flatMap(spellings))]
    .filter((secret) => secret.length >= SHORTEST_INSIDE)
    .sort((a, b) => b.length - a.length)
  return (text) => {
    if (whole.has(text)) return REDACTED
    let clean = text
    for (const secret of inside) clean = clean.replaceAll(secret, REDACTED)
    return withoutCredentials(clean)
  }
}

function spellings(secret: string): string[] {
  const inUrl = URL.canParse(`x://h/${secret}`) ? encodeURIComponent(secret.toWellFormed()) : secret
  return [secret, JSON.stringify(secret).slice(1, -1), inUrl]
}

/** User and password of URLs, values of authorization headers, private keys. */
function withoutCredentials(text: string): string {
  return (
    text
      // A database URL often holds a password that nobody escaped: everything up to the last @ goes.
      .replace(/\b((?:mysql|mariadb|postgres(?:ql)?):\/\/)\S*@/gi, `$1${REDACTED}@`)
      .replace(/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]*@/gi, `$1${REDACTED}@`)
      .replace(/\b(Basic|Bearer) +(?=\S*[0-9=])[A-Za-z0-9+/=._~-]{8,}/gi, `$1 ${REDACTED}`)
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED)
  )
}

function copy(value: unknown, clean: (text: string) => string, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return clean(value)
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return clean(String(value))
  if (typeof value !== 'object' || value === null) return value
  if (above.has(value)) return '[circular]'
  if (depth > DEEPEST) return '[deep]'
  const path = new Set(above).add(value)
  const next = (inner: unknown) => copy(inner, clean, depth + 1, path)

  if (value instanceof Error) return next(plainError(value))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof URL) return clean(value.href)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.map(next)
  if (value instanceof Set) return [...value].map(next)
  const entries = value instanceof Map ? [...value].map(([k, v]) => [String(k), v] as const) : Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, inner]) => [clean(name), isSecretName(name) && inner !== undefined ? REDACTED : next(inner)]),
  )
}

/**
 * Of an Error only what is known to be harmless and useful: HTTP clients hang whole requests, headers included, on theirs. What
 * somebody outside answered (`expected`) is said by its words: where in the program it arrived helps nobody.
 */
function plainError(error: Error): Record<string, unknown> {
  const {
    name: type,
    message,
    code,
    reason,
    status,
    retryable,
    errors,
    cause,
    stack,
    expected,
  } = error as Error & Record<string, unknown>
  const trace = expected === true ? undefined : stack
  const plain = { type, message, code, reason, status, retryable, errors, cause, stack: trace }
  return Object.fromEntries(Object.entries(plain).filter(([, v]) => v !== undefined))
}
