import { isIP } from 'node:net'
import * as z from 'zod'
import { DatabaseError } from './database-error.ts'

/** How far the server's certificate is looked at. */
type TlsMode = 'Required' | 'VerifyCa' | 'VerifyIdentity'

/** Where a database is and who asks. */
export interface Endpoint {
  /** Where it comes from, for messages: `Secret wordpress/wp-db key url`, `WORDPRESS_DATABASE_URL`. */
  origin: string
  /** Name or address, without brackets. */
  host: string
  port: number
  /** Path of a Unix socket; then host and port say nothing. */
  socket?: string
  user: string
  password: string
  database: string
  tls?: { mode: TlsMode /** PEM text or path of a file. */; ca?: string } | undefined
}

const FORM = 'mysql://USER:PASSWORD@HOST:PORT/DATABASE'
const OPTIONS = ['ssl', 'ssl-mode', 'ssl-ca', 'socket', 'charset']
const MODES: Readonly<Record<string, TlsMode | undefined>> = {
  disabled: undefined,
  required: 'Required',
  verify_ca: 'VerifyCa',
  verify_identity: 'VerifyIdentity',
}

/** When it holds of what it looks at, the URL is refused with the message. */
type Rule<T> = readonly [wrong: (it: T) => boolean, message: string]

const SCHEME = /^(?:mysql|mariadb):\/\//

/** On the whole text, the first that holds. */
const TEXT_RULES: readonly Rule<string>[] = [
  [(url) => !SCHEME.test(url), `is not a database URL: write ${FORM}`],
  [(url) => /[\s\p{Cc}]/u.test(url), 'has a blank or a line break inside: write them as %20 and %0A'],
  [(url) => url.includes('#'), 'has a "#" that is not encoded, perhaps in the password: write %23'],
  [(url) => /%(?![0-9a-fA-F]{2})/.test(url), 'has a "%" that is not encoded, perhaps in the password: write %25'],
]

/** On what stands before the last `@`. */
const ACCOUNT_RULES: readonly Rule<string>[] = [
  [(account) => account.includes('@'), 'has a second "@", perhaps in the password: write %40 for it'],
  [
    (account) => /[/?]/.test(account),
    'has a "/" or "?" before the host, perhaps in the password: write %2F and %3F, and %40 for an "@" in an option',
  ],
]

/** On what stands behind the `?`, as far as it does not bear on TLS. */
const OPTION_RULES: readonly Rule<ReadonlyMap<string, string>>[] = [
  [
    (options) => !/^utf8(mb[34])?$/i.test(options.get('charset') ?? 'utf8mb4'),
    'has a charset other than utf8mb4: remove it; tables in any charset are read right',
  ],
  [(options) => !(options.get('socket') ?? '/').startsWith('/'), 'has a socket that is not an absolute path'],
]

/** On what the whole of it names. */
const ENDPOINT_RULES: readonly Rule<Omit<Endpoint, 'origin'>>[] = [
  [({ user }) => user === '', `names no user: write ${FORM}`],
  [({ database }) => database === '', `names no database: write ${FORM}, with DB_NAME of wp-config.php at the end`],
  [({ database }) => database.includes('/'), `names a database with a "/" in it: write ${FORM}`],
  [
    ({ port }) => port < 1 || port > 65_535,
    'has a host or port that is not valid: write HOST:PORT, and an IPv6 address as [::1]:3306',
  ],
  [({ host, socket }) => host === '' && socket === undefined, `names no host: write ${FORM}`],
  [
    // The driver compares a certificate with names alone: it would be content with any, and nobody would know.
    ({ host, tls }) => tls?.mode === 'VerifyIdentity' && isIP(host) !== 0,
    'has an address for a host, which a certificate cannot be compared with by name: write the name, or ssl-mode=VERIFY_CA',
  ],
]

/**
 * Reads `mysql://user:pass@host:port/db?options`, with the options `ssl`, `ssl-mode`, `ssl-ca`, `socket` and `charset`. Every part may
 * be percent-encoded, and has to be where it holds a character that means something in a URL.
 *
 * Throws `DatabaseError`: it names `origin` and the cure and holds no part of the URL. That is also why `new URL()` is not used here:
 * its error carries the whole text, and what it mends in silence is a password that does not fit.
 */
export function parseDatabaseUrl(text: string, origin: string): Endpoint {
  const fail: Fail = (message) => {
    throw new DatabaseError(`${origin}: ${message}`)
  }
  function check<T>(rules: readonly Rule<T>[], it: T): void {
    for (const [wrong, message] of rules) if (wrong(it)) fail(message)
  }
  const url = text.trim()
  check(TEXT_RULES, url)
  const rest = url.replace(SCHEME, '')
  const at = rest.lastIndexOf('@')
  const account = at < 0 ? '' : rest.slice(0, at)
  check(ACCOUNT_RULES, account)
  const [, address = '', path = '', query = ''] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest.slice(at + 1)) ?? []
  const options = optionsOf(query, fail)
  check(OPTION_RULES, options)
  const [socket, tls] = [options.get('socket'), tlsOf(options, fail)]
  const [, name = '', secret = ''] = /^([^:]*)(?::(.*))?$/.exec(account) ?? []
  const [user, password, database] = [decoded(name), decoded(secret), decoded(path)]
  if (user === undefined || password === undefined || database === undefined) {
    return fail('has an encoded part that is not UTF-8')
  }
  const endpoint = {
    ...serverOf(address),
    user,
    password,
    database,
    ...(socket === undefined ? {} : { socket }),
    ...(tls === undefined ? {} : { tls }),
  }
  check(ENDPOINT_RULES, endpoint)
  return { origin, ...endpoint }
}

/** Port 0 when it is neither `HOST:PORT` nor `[ADDRESS]:PORT`. */
function serverOf(text: string): Pick<Endpoint, 'host' | 'port'> {
  const [match, address, name, port = 3306] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(\d+))?$/.exec(text) ?? []
  const host = decoded(address ?? name ?? '')
  return match === undefined || host === undefined ? { host: '', port: 0 } : { host, port: Number(port) }
}

type Fail = (message: string) => never

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

function optionsOf(query: string, fail: Fail): Map<string, string> {
  const options = new Map<string, string>()
  for (const part of query.split('&').filter((each) => each !== '')) {
    const [before = '', ...after] = part.split('=')
    const [name, value] = [decoded(before) ?? '', decoded(after.join('='))]
    // A "?" or "&" of a password may end up here: nothing of it is repeated.
    if (!OPTIONS.includes(name)) return fail(`has an option that is not known; there are ${OPTIONS.join(', ')}`)
    if (value === undefined || value === '') return fail(`has the option ${name} without a value that can be read`)
    if (options.has(name)) return fail(`has the option ${name} twice`)
    options.set(name, value)
  }
  return options
}

function tlsOf(options: ReadonlyMap<string, string>, fail: Fail): Endpoint['tls'] {
  const [ssl, given, ca] = [options.get('ssl'), options.get('ssl-mode')?.toLowerCase(), options.get('ssl-ca')]
  if (given !== undefined && !Object.hasOwn(MODES, given)) {
    return fail('has an ssl-mode that is not known; there are DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY')
  }
  const fromSsl = ssl === undefined ? undefined : sslOption(ssl, fail)
  const mode = MODES[given ?? 'disabled'] ?? (fromSsl || (ca === undefined ? undefined : 'VerifyIdentity'))
  if (mode !== undefined && (fromSsl === false || given === 'disabled')) {
    return fail('has TLS options that contradict each other: keep ssl-mode alone, with ssl-ca where it is needed')
  }
  return mode && { mode, ...(ca === undefined ? {} : { ca }) }
}

const sslObject = z.strictObject({ rejectUnauthorized: z.boolean().nullish() })

/** `ssl=true`, `ssl=false`, or as some drivers write it `ssl={"rejectUnauthorized":false}`. */
function sslOption(text: string, fail: Fail): TlsMode | false {
  if (/^(true|1)$/i.test(text)) return 'VerifyIdentity'
  if (/^(false|0)$/i.test(text)) return false
  try {
    const { rejectUnauthorized } = sslObject.parse(JSON.parse(text))
    return rejectUnauthorized === false ? 'Required' : 'VerifyIdentity'
  } catch {
    // The text may be a part of the password: it is not repeated.
  }
  return fail(
    'has an option ssl that is neither true, false nor {"rejectUnauthorized": …} in JSON: better use ssl-mode and ssl-ca',
  )
}
