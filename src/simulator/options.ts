/** What can be set of the simulator: start options, and every behaviour that ServerPilot's documentation leaves open. */
import * as z from 'zod'

/** A server of the account as it is at the start. What is left out gets a plausible value. */
export interface ServerSeed {
  /** 16 alphanumerics; by default derived from the name, so that it is the same after every start. */
  id?: string
  name: string
  plan?: string
  /** The address that domains have to resolve to; null: never connected. Default 198.51.100.10. */
  lastaddress?: string | null
  availableRuntimes?: string[]
}

/** A certificate that an app has at the start or is given through the control API. */
export const certificateSeed = z.strictObject({
  /** Installed by AutoSSL (default) or a custom one. */
  auto: z.boolean().exactOptional(),
  force: z.boolean().exactOptional(),
  /** Names in the certificate. Default: the app's domains that AutoSSL covers. */
  names: z.array(z.string()).exactOptional(),
  /** End of validity, milliseconds since 1970. Default: `issuance.lifetime` from now. */
  notAfter: z.number().exactOptional(),
})
export type CertificateSeed = z.infer<typeof certificateSeed>

/** An app as it is at the start. Its domains are taken as they are, without validation: the list may be one of an older time. */
export const appSeed = z.strictObject({
  /** 16 alphanumerics; by default derived from the name. */
  id: z.stringFormat('id', /^[A-Za-z0-9]{16}$/).exactOptional(),
  name: z.string(),
  domains: z.array(z.string()).exactOptional(),
  /** Default: the first server. */
  serverId: z.string().exactOptional(),
  runtime: z.string().exactOptional(),
  ssl: certificateSeed.nullable().exactOptional(),
})
export type AppSeed = z.infer<typeof appSeed>

/** When and how AutoSSL certificates come about. Durations in milliseconds. */
export interface Issuance {
  /** From the last change of the app's domains, or of the DNS of one, until AutoSSL is available. Real life: 5 to 15 minutes. */
  delay: number
  /** From `POST {auto: true}` until the certificate is there; until then `key`, `cert` and `cacerts` are null. */
  installDelay: number
  /** Names in one certificate (Let's Encrypt: 100). */
  maxNames: number
  /** Validity of a certificate. */
  lifetime: number
}

/**
 * What nobody has found documented. Every value is a choice, labelled "assumed" in docs/simulator.md; a client that works
 * under each of them works whatever ServerPilot does. By default, where nothing is known, the stricter or the more dangerous world.
 */
export const behaviours = z.strictObject({
  /** `PUT /apps/:id` means what POST means; otherwise 405, or 404 when `wrongMethod` says so. */
  allowPut: z.boolean().default(false),
  /** Status of a known path with a method that it does not have. */
  wrongMethod: z.literal([404, 405]).default(405),
  /** Whether a POST needs `content-type: application/json`. */
  requireJsonContentType: z.boolean().default(true),
  /** Fields that no endpoint knows. */
  unknownFields: z.enum(['reject', 'ignore']).default('reject'),
  maxDomains: z.int().min(0).default(300),
  emptyList: z.enum(['accept', 'reject']).default('accept'),
  upperCase: z.enum(['reject', 'lower', 'keep']).default('reject'),
  duplicates: z.enum(['reject', 'collapse']).default('reject'),
  /** Names with letters beyond ASCII. */
  idn: z.enum(['reject', 'punycode']).default('reject'),
  /** Whether names that the app has already are taken as they are, however they are written. */
  presentNamesPass: z.boolean().default(true),
  /** Names that are refused: exact (`a.example`), with all below (`.example`), or a pattern (`/^bad/`). */
  rejectedNames: z.array(z.string().refine(isUsablePattern, 'not a regular expression')).default([]),
  /** Which refused names the message quotes. */
  quotedNames: z.enum(['first', 'all', 'none']).default('first'),
  /** Order of a list after it was written. `shuffledEachRead` also changes it between two reads. */
  order: z.enum(['kept', 'sorted', 'shuffled', 'shuffledEachRead']).default('shuffled'),
  /** `www.X` appears by itself in the write that adds `X`. */
  wwwAppears: z.boolean().default(false),
  /** A write while an action of that server is open: queued behind it, or refused with 409. */
  whileActionOpen: z.enum(['queue', 'conflict']).default('queue'),
  /** Repeated `auto`, `force` or `DELETE ssl` in that state already. */
  repeatedSsl: z.enum(['error', 'accept']).default('error'),
  /** Status of that error, and of `auto` while it is not available. */
  sslErrorStatus: z.int().min(400).max(499).default(400),
  /** What a name that does not resolve to the server does to the certificate: blocks all of it, or is left out. */
  unresolvedName: z.enum(['block', 'skip']).default('block'),
  /** The same for wildcards and IP addresses. */
  wildcardOrAddress: z.enum(['skip', 'block']).default('skip'),
  /** The same for the names beyond `issuance.maxNames`. */
  tooManyNames: z.enum(['skip', 'block']).default('skip'),
  /** After a change of the domains and until the delay has passed: nothing is available, or the earlier certificate still is. */
  availableDuringChange: z.enum(['none', 'earlier']).default('none'),
  /** How a certificate gets names that were added later: by itself, by a new `POST {auto: true}`, or only after a DELETE. */
  reissue: z.enum(['automatic', 'onPost', 'afterDelete']).default('onPost'),
  /** Whether an AutoSSL certificate is renewed by itself in the last third of its lifetime. */
  renewal: z.boolean().default(true),
  /** More than `requests` calls within `per` milliseconds: 429 with `Retry-After` in seconds. null: no limit. */
  rateLimit: z
    .strictObject({ requests: z.int().min(0), per: z.int().min(1), retryAfter: z.int().min(0) })
    .nullable()
    .default(null),
})
export type Behaviours = z.infer<typeof behaviours>

/** Behaviours where nothing else is said. */
export const defaultBehaviours: Behaviours = behaviours.parse({})

function isUsablePattern(entry: string): boolean {
  if (!entry.startsWith('/') || !entry.endsWith('/')) return true
  try {
    new RegExp(entry.slice(1, -1))
    return true
  } catch {
    return false
  }
}

/** Options of `startSimulator`. All of them optional; all but `now`, `random` and `log` can be written as JSON. */
export interface SimulatorOptions {
  /** Default 127.0.0.1 and a free port. */
  listen?: { host?: string; port?: number }
  /** Default `cid_simulator`. */
  clientId?: string
  /** Default `simulator-api-key`. */
  apiKey?: string
  /** Default: one server. */
  servers?: ServerSeed[]
  /** Default: one app `network` with the domain `network.example`. */
  apps?: AppSeed[]
  /** Addresses of names; null: does not resolve. A name that is not in here resolves to its server. */
  dns?: Record<string, string[] | null>
  /** Also answers DNS queries from that table, over UDP on this port (0: a free one) of the same host. Default: does not. */
  dnsPort?: number
  /** Milliseconds that each call takes: half before its effect, half after. Default 0. */
  latency?: number
  /** Milliseconds that an action takes; actions of one server run one after the other. Default 100. */
  actionDuration?: number
  /** Defaults: `defaultIssuance`. */
  issuance?: Partial<Issuance>
  /** Defaults: `defaultBehaviours`. */
  behaviours?: Partial<Behaviours>
  /** Keeps the state there, durably before each answer. A file that exists wins over `apps`, `servers` and `dns`. */
  stateFile?: string
  /** Whether `/_control/` answers (it asks for no credentials). Default: only when listening on a loopback address. */
  control?: boolean
  /** Calls that the log keeps; the oldest go first, the counts stay right. Default 10,000. */
  maxCalls?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
  /** From 0 to below 1; for faults with a probability. Default `Math.random`. */
  random?: () => number
  /** Called with one line per call. */
  log?: (line: string) => void
}

/** Quick enough to try things, with a gap in which AutoSSL is not yet available. */
export const defaultIssuance: Issuance = {
  delay: 500,
  installDelay: 0,
  maxNames: 100,
  lifetime: 90 * 24 * 3_600_000,
}
