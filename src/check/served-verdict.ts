import { firstOf } from '../domain/first-of.ts'
import { displayHost } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { plain } from '../domain/plain.ts'
import { dayOf } from '../time/day.ts'
import { type CertificateFacts, covers, factsOf } from './certificate.ts'
import type { Handshake, Unseen } from './served.ts'

/** The judgement on a server's certificate for one host. `Unseen`: there was no handshake, so nothing is known. */
type ServedState =
  | 'Served'
  | 'OtherName'
  | 'Expired'
  | 'NotYetValid'
  | 'SelfSigned'
  | 'ChainIncomplete'
  | 'Untrusted'
  | 'Unseen'

/** The verdict on one handshake. */
export interface ServedVerdict {
  state: ServedState
  message: string
  /** What the delivered certificate says; absent with `Unseen`. */
  facts?: CertificateFacts
  /** The delivered certificate is not the one that ServerPilot shows. */
  differs?: true
}

/** What a handshake is compared with. */
interface ServedInput {
  host: string
  handshake: Handshake
  /** Epoch ms. */
  now: number
  /** Fingerprint (SHA-256) of the certificate that the API shows for the app, if it is to be compared. */
  expected?: string
}

/** What rules look at: what the certificate that was delivered says, and why it is not trusted. */
interface Delivered {
  host: string
  facts: CertificateFacts
  distrust: string | undefined
  now: number
}

type Fault = Pick<ServedVerdict, 'state' | 'message'>

/** The first that holds. The worst for a visitor comes first: a name that is not covered, then time, then trust. */
const FAULTS: readonly ((delivered: Delivered) => Fault | undefined)[] = [otherName, expired, notYetValid, untrusted]

/** Judges what was delivered. Pure. */
export function judgeServed({ host, handshake, now, expected }: ServedInput): ServedVerdict {
  if (handshake.kind === 'unseen') {
    return { state: 'Unseen', message: `${displayHost(host)}: ${UNSEEN[handshake.why]}` }
  }
  const { leaf, distrust } = handshake
  const facts = factsOf(leaf)
  const { state, message } = firstOf(FAULTS, { host, facts, distrust, now }) ?? SERVED
  if (expected === undefined || expected === facts.fingerprint) return { state, message, facts }
  const stale = 'It is not the certificate that ServerPilot shows: the server may still have to reload.'
  return { state, message: `${message} ${stale}`, facts, differs: true }
}

const SERVED: Fault = { state: 'Served', message: 'Its certificate is served.' }

function otherName({ host, facts }: Delivered): Fault | undefined {
  if (covers(facts, host)) return undefined
  const shown = listNames(facts.names.map(plain), 3) || 'no host name'
  const message = `The server shows a certificate for ${shown}, not for ${displayHost(host)}.`
  return { state: 'OtherName', message }
}

function expired({ host, facts, now }: Delivered): Fault | undefined {
  if (facts.notAfter > now) return undefined
  return {
    state: 'Expired',
    message: `The certificate served for ${displayHost(host)} ended on ${dayOf(facts.notAfter)}.`,
  }
}

function notYetValid({ host, facts: { notBefore }, now }: Delivered): Fault | undefined {
  if (notBefore <= now) return undefined
  const message = `The certificate served for ${displayHost(host)} begins ${new Date(notBefore).toISOString()}. Check the clock of this host and of the server.`
  return { state: 'NotYetValid', message }
}

function untrusted({ host, distrust }: Delivered): Fault | undefined {
  if (distrust === undefined) return undefined
  const state = DISTRUST[distrust] ?? 'Untrusted'
  return { state, message: TRUST[state](displayHost(host)) }
}

/** By OpenSSL's code; anything else is `Untrusted`. That a time is over is said of an issuer's certificate here. */
const DISTRUST: Readonly<Record<string, keyof typeof TRUST>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'SelfSigned',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'ChainIncomplete',
  CERT_SIGNATURE_FAILURE: 'ChainIncomplete',
  CERT_HAS_EXPIRED: 'ChainIncomplete',
}

const TRUST = {
  SelfSigned: (name: string) => `The certificate served for ${name} is signed by itself, so browsers refuse it.`,
  ChainIncomplete: (name: string) =>
    `The certificate served for ${name} comes without its issuer's, so some visitors cannot verify it. Install the certificate with its chain.`,
  Untrusted: (name: string) => `The certificate served for ${name} comes from an authority that is not trusted here.`,
} as const

const UNSEEN: Readonly<Record<Unseen, string>> = {
  Refused: 'the server refuses connections to port 443.',
  Reset: 'the server closed the connection before it showed a certificate.',
  Timeout: 'the server showed no certificate in time.',
  Unreachable: 'the server cannot be reached from here.',
  HandshakeFailed:
    'the TLS handshake failed: the server has no certificate for this name, or does not speak TLS at all.',
  NoCertificate: 'the server showed no certificate.',
}
