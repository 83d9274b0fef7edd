import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { firstOf } from '../domain/first-of.ts'
import { displayHost } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { plain } from '../domain/plain.ts'
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

/** Certificates that end a chain, by subject. */
export type Roots = ReadonlyMap<string, readonly X509Certificate[]>

/** What to hold a handshake against. */
interface ServedInput {
  host: string
  handshake: Handshake
  /** Epoch ms. */
  now: number
  roots: Roots
  /** Fingerprint (SHA-256) of the certificate that the API shows for the app, if it is to be compared. */
  expected?: string
}

/** Roots from PEM texts; without any, those that come with Node. Takes some 20 ms, so once is enough. */
export function readRoots(pems: readonly string[] = rootCertificates): Roots {
  const roots = new Map<string, X509Certificate[]>()
  for (const pem of pems) {
    const root = new X509Certificate(pem)
    roots.set(root.subject, [...(roots.get(root.subject) ?? []), root])
  }
  return roots
}

/** What rules look at: the certificate that was delivered, with what it says and what came with it. */
interface Delivered {
  host: string
  leaf: X509Certificate
  others: readonly X509Certificate[]
  facts: CertificateFacts
  now: number
  roots: Roots
}

type Fault = Pick<ServedVerdict, 'state' | 'message'>

/** The first that holds. The worst for a visitor comes first: a name that is not covered, then time, then trust. */
const FAULTS: readonly ((delivered: Delivered) => Fault | undefined)[] = [otherName, expired, notYetValid, untrusted]

/** Judges what was delivered. Pure. */
export function judgeServed({ host, handshake, now, roots, expected }: ServedInput): ServedVerdict {
  const unseen = (why: Unseen): ServedVerdict => ({ state: 'Unseen', message: `${displayHost(host)}: ${UNSEEN[why]}` })
  if (handshake.kind === 'unseen') return unseen(handshake.why)
  const [leaf, ...others] = handshake.chain
  if (leaf === undefined) return unseen('NoCertificate')
  const facts = factsOf(leaf)
  const { state, message } = firstOf(FAULTS, { host, leaf, others, facts, now, roots }) ?? SERVED
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
  return { state: 'Expired', message: `The certificate served for ${displayHost(host)} ended ${day(facts.notAfter)}.` }
}

function notYetValid({ host, facts: { notBefore }, now }: Delivered): Fault | undefined {
  if (notBefore <= now) return undefined
  const message = `The certificate served for ${displayHost(host)} begins ${new Date(notBefore).toISOString()}. Check the clock of this host and of the server.`
  return { state: 'NotYetValid', message }
}

function untrusted({ host, leaf, others, roots, now }: Delivered): Fault | undefined {
  const trust = trustOf(leaf, others, roots, now)
  return trust === 'Served' ? undefined : { state: trust, message: TRUST[trust](displayHost(host)) }
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

/** Follows the issuers through what was delivered, up to a root. An issuer's name is not enough: the signature has to fit. */
function trustOf(
  leaf: X509Certificate,
  delivered: readonly X509Certificate[],
  roots: Roots,
  now: number,
): 'Served' | keyof typeof TRUST {
  let at = leaf
  const rest = new Set(delivered)
  for (;;) {
    const top = at
    if (roots.get(top.subject)?.some((root) => root.fingerprint256 === top.fingerprint256)) return 'Served'
    if (roots.get(top.issuer)?.some((root) => signed(top, root))) return 'Served'
    if (signed(top, top)) return top === leaf ? 'SelfSigned' : 'Untrusted'
    const issuer = [...rest].find((each) => each.ca && signed(top, each) && Date.parse(each.validTo) > now)
    if (issuer === undefined) return top === leaf ? 'ChainIncomplete' : 'Untrusted'
    rest.delete(issuer)
    at = issuer
  }
}

function signed(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function day(time: number): string {
  return `on ${new Date(time).toISOString().slice(0, 10)}`
}
