import { X509Certificate } from 'node:crypto'
import { compareKey } from '../domain/host.ts'

/** What a certificate says: only its SANs count, never the subject. */
export interface CertificateFacts {
  /** Epoch ms. */
  notAfter: number
  /** DNS names, canonical; wildcards as they are. */
  names: readonly string[]
}

/** Reads a PEM certificate. Undefined for what is none: an unreadable certificate covers nothing. */
export function certificateFacts(pem: string): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(pem)
    const names = (certificate.subjectAltName ?? '')
      .split(', ')
      .flatMap((entry) => (entry.startsWith('DNS:') ? [compareKey(entry.slice('DNS:'.length))] : []))
    return { notAfter: Date.parse(certificate.validTo), names }
  } catch {
    return undefined
  }
}

/** True when the certificate covers the host: by name, or by a wildcard for exactly its leftmost label. */
export function covers(facts: CertificateFacts, host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1)
  return facts.names.includes(host) || facts.names.includes(`*.${parent}`)
}
