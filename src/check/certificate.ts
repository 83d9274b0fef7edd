import { X509Certificate } from 'node:crypto'
import { compareKey } from '../domain/host.ts'
import { dayOf } from '../time/day.ts'

/** What a certificate says: only its SANs count, never the subject. */
export interface CertificateFacts {
  /** Epoch ms. */
  notBefore: number
  notAfter: number
  /** SHA-256 of the certificate, as hexadecimal with colons. */
  fingerprint: string
  /** Host names, canonical, and IP addresses; wildcards as they are. */
  names: readonly string[]
}

/** When a certificate holds; epoch ms. */
export type Life = Pick<CertificateFacts, 'notBefore' | 'notAfter'>

const DAY = 86_400_000

/**
 * When the renewal of a certificate is overdue, and from when on that is urgent; epoch ms. The authority has certificates renewed when a
 * third of their life is left, give or take a hundredth, and half of it for those of a few days: a quarter leaves time for some tries.
 * Both have a bound, since three weeks are enough to mend DNS, however long the certificate lives. Pure.
 */
export function renewalOf({ notBefore, notAfter }: Life): { overdueAt: number; urgentAt: number } {
  const life = Math.max(0, notAfter - notBefore)
  return { overdueAt: notAfter - Math.min(life / 4, 21 * DAY), urgentAt: notAfter - Math.min(life / 10, 7 * DAY) }
}

/** When a certificate holds of which that may not be known. */
export function lifeOf({
  notBefore,
  notAfter,
}: Partial<Record<keyof Life, number | undefined>> = {}): Life | undefined {
  return notBefore === undefined || notAfter === undefined ? undefined : { notBefore, notAfter }
}

/** Where a certificate stands at `now` (epoch ms). `Overdue`, `Urgent`: it should have been renewed by then. */
export function certificateLife(life: Life, now: number): 'Good' | 'Overdue' | 'Urgent' | 'Expired' {
  const { overdueAt, urgentAt } = renewalOf(life)
  if (life.notAfter <= now) return 'Expired'
  if (urgentAt < now) return 'Urgent'
  return overdueAt < now ? 'Overdue' : 'Good'
}

/** A certificate whose renewal is overdue, as a clause. */
export function overdueWords(life: Life, now: number): string {
  const urgent = certificateLife(life, now) === 'Urgent' ? ', which is urgent' : ''
  return `The certificate ends on ${dayOf(life.notAfter)} and was not renewed yet${urgent}`
}

/** One entry of the list that Node gives. It escapes commas within names, so that no name can hold another one. */
const ALTERNATIVE_NAME = /(?:^|, )(?:DNS|IP Address):([^,]*)/g

/** Reads a PEM certificate. Undefined for anything else: an unreadable certificate covers nothing. */
export function certificateFacts(pem: string | undefined): CertificateFacts | undefined {
  try {
    return pem === undefined ? undefined : factsOf(new X509Certificate(pem))
  } catch {
    return undefined
  }
}

/** The names and the end of a certificate. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  const names = (certificate.subjectAltName ?? '').matchAll(ALTERNATIVE_NAME)
  return {
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    names: Array.from(names, ([, name = '']) => compareKey(name)),
  }
}

/** True when the certificate covers the host: by name, or by a wildcard for exactly its leftmost label. */
export function covers(facts: Pick<CertificateFacts, 'names'>, host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1)
  return facts.names.includes(host) || facts.names.includes(`*.${parent}`)
}
