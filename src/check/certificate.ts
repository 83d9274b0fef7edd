import { X509Certificate } from 'node:crypto'
import { compareKey } from '../domain/host.ts'

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

/** From this long before its end a certificate counts as expiring; ServerPilot renews about 30 days before. Milliseconds. */
export const EXPIRING_MS = 21 * 86_400_000

/** Where a certificate stands that ends at `notAfter`, by the name of the reason that says so. Both times are epoch ms. */
export function certificateLife(notAfter: number, now: number): 'Good' | 'ExpiringSoon' | 'Expired' {
  if (notAfter <= now) return 'Expired'
  return notAfter - now < EXPIRING_MS ? 'ExpiringSoon' : 'Good'
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
