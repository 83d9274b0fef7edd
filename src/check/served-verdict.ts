import { displayHost } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { plain } from '../domain/plain.ts'
import { dayOf } from '../time/day.ts'
import { type CertificateFacts, covers, factsOf } from './certificate.ts'
import type { Handshake, Unseen } from './served.ts'

/** The verdict on a handshake: on a server's certificate for one host. `Unseen`: there was none, so nothing is known. */
export interface ServedVerdict {
  state: 'Served' | 'OtherName' | 'Expired' | 'NotYetValid' | keyof typeof TRUST | 'Unseen'
  message: string
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

/** Judges what was delivered. Pure. */
export function judgeServed({ host, handshake, now, expected }: ServedInput): ServedVerdict {
  if (handshake.kind === 'unseen') {
    return { state: 'Unseen', message: `${displayHost(host)}: ${UNSEEN[handshake.why]}` }
  }
  const facts = factsOf(handshake.leaf)
  const verdict = judgeLeaf(host, facts, handshake.distrust, now)
  if (expected === undefined || expected === facts.fingerprint) return verdict
  const stale = 'It is not the certificate that ServerPilot shows: the server may still have to reload.'
  return { ...verdict, message: `${verdict.message} ${stale}` }
}

/** The worst for a visitor comes first: a name that is not covered, then time, then trust. */
function judgeLeaf(host: string, facts: CertificateFacts, distrust: string | undefined, now: number): ServedVerdict {
  const name = displayHost(host)
  if (!covers(facts, host)) {
    const shown = listNames(facts.names.map(plain), 3) || 'no host name'
    return { state: 'OtherName', message: `The server shows a certificate for ${shown}, not for ${name}.` }
  }
  if (facts.notAfter <= now) {
    return { state: 'Expired', message: `The certificate served for ${name} ended on ${dayOf(facts.notAfter)}.` }
  }
  if (facts.notBefore > now) {
    const begin = new Date(facts.notBefore).toISOString()
    const message = `The certificate served for ${name} begins ${begin}. Check the clock of this host and of the server.`
    return { state: 'NotYetValid', message }
  }
  if (distrust === undefined) return { state: 'Served', message: 'Its certificate is served.' }
  const state = DISTRUST[distrust]
  if (state !== undefined) return { state, message: TRUST[state](name) }
  return { state: 'Untrusted', message: `The certificate served for ${name} is refused here (${plain(distrust)}).` }
}

/** By OpenSSL's code; anything else is `Untrusted` under that code. A time that is over, or ahead, is that of an issuer's certificate here. */
const DISTRUST: Readonly<Record<string, keyof typeof TRUST>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'SelfSigned',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'ChainIncomplete',
  CERT_SIGNATURE_FAILURE: 'ChainIncomplete',
  CERT_HAS_EXPIRED: 'ChainIncomplete',
  CERT_NOT_YET_VALID: 'ChainIncomplete',
  INVALID_PURPOSE: 'WrongPurpose',
  SELF_SIGNED_CERT_IN_CHAIN: 'Untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'Untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Untrusted',
}

const TRUST = {
  SelfSigned: (name: string) => `The certificate served for ${name} is signed by itself, so browsers refuse it.`,
  ChainIncomplete: (name: string) =>
    `The certificate served for ${name} comes without its issuer's, so some visitors cannot verify it. Install the certificate with its chain.`,
  WrongPurpose: (name: string) =>
    `The certificate served for ${name} is made for another purpose than a web server, so browsers refuse it.`,
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
