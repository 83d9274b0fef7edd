/** What the simulator can be told: start options, and every behaviour that ServerPilot's documentation leaves open. */

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
export interface CertificateSeed {
  /** Installed by AutoSSL (default) or a custom one. */
  auto?: boolean
  force?: boolean
  /** Names in the certificate. Default: the app's domains that AutoSSL covers. */
  names?: string[]
  /** End of validity, milliseconds since 1970. Default: `issuance.lifetime` from now. */
  notAfter?: number
}

/** An app as it is at the start. Its domains are taken as they are, without validation: the list may be one of an older time. */
export interface AppSeed {
  /** 16 alphanumerics; by default derived from the name. */
  id?: string
  name: string
  domains?: string[]
  /** Default: the first server. */
  serverId?: string
  runtime?: string
  ssl?: CertificateSeed | null
}

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
 * under each of them works whatever ServerPilot does.
 */
export interface Behaviours {
  /** `PUT /apps/:id` means what POST means; otherwise 405, or 404 when `wrongMethod` says so. */
  allowPut: boolean
  /** Status of a known path with a method that it does not have. */
  wrongMethod: 404 | 405
  /** Whether a POST needs `content-type: application/json`. */
  requireJsonContentType: boolean
  /** Fields that no endpoint knows. */
  unknownFields: 'reject' | 'ignore'
  maxDomains: number
  emptyList: 'accept' | 'reject'
  upperCase: 'reject' | 'lower' | 'keep'
  duplicates: 'reject' | 'collapse'
  /** Names with letters beyond ASCII. */
  idn: 'reject' | 'punycode'
  /** Whether names that the app has already are taken as they are, however they are written. */
  presentNamesPass: boolean
  /** Names that are refused: exact (`a.example`), with all below (`.example`), or a pattern (`/^bad/`). */
  rejectedNames: string[]
  /** Which refused names the message quotes. */
  quotedNames: 'first' | 'all' | 'none'
  /** Order of a list after it was written. `shuffledEachRead` also changes it between two reads. */
  order: 'kept' | 'sorted' | 'shuffled' | 'shuffledEachRead'
  /** `www.X` appears by itself in the write that adds `X`. */
  wwwAppears: boolean
  /** A write while an action of that server is open: queued behind it, or refused with 409. */
  whileActionOpen: 'queue' | 'conflict'
  /** Repeated `auto`, `force` or `DELETE ssl` in that state already. */
  repeatedSsl: 'error' | 'accept'
  /** Status of that error, and of `auto` while it is not available. */
  sslErrorStatus: number
  /** What a name that does not resolve to the server does to the certificate: blocks all of it, or is left out. */
  unresolvedName: 'block' | 'skip'
  /** The same for wildcards and IP addresses. */
  wildcardOrAddress: 'skip' | 'block'
  /** The same for the names beyond `issuance.maxNames`. */
  tooManyNames: 'skip' | 'block'
  /** After a change of the domains and until the delay has passed: nothing is available, or the earlier certificate still is. */
  availableDuringChange: 'none' | 'earlier'
  /** How a certificate gets names that were added later: by itself, by a new `POST {auto: true}`, or only after a DELETE. */
  reissue: 'automatic' | 'onPost' | 'afterDelete'
  /** Whether an AutoSSL certificate is renewed by itself in the last third of its lifetime. */
  renewal: boolean
  /** More than `requests` calls within `per` milliseconds: 429 with `Retry-After` in seconds. null: no limit. */
  rateLimit: { requests: number; per: number; retryAfter: number } | null
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

/** Where nothing is known, the stricter or the more dangerous world. */
export const defaultBehaviours: Behaviours = {
  allowPut: false,
  wrongMethod: 405,
  requireJsonContentType: true,
  unknownFields: 'reject',
  maxDomains: 300,
  emptyList: 'accept',
  upperCase: 'reject',
  duplicates: 'reject',
  idn: 'reject',
  presentNamesPass: true,
  rejectedNames: [],
  quotedNames: 'first',
  order: 'shuffled',
  wwwAppears: false,
  whileActionOpen: 'queue',
  repeatedSsl: 'error',
  sslErrorStatus: 400,
  unresolvedName: 'block',
  wildcardOrAddress: 'skip',
  tooManyNames: 'skip',
  availableDuringChange: 'none',
  reissue: 'onPost',
  renewal: true,
  rateLimit: null,
}
