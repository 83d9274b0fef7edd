import type { Key } from '../../api/objects.ts'
import { type CertificateFacts, certificateFacts } from '../../check/certificate.ts'
import type { ServerPilotApp } from '../../serverpilot/serverpilot.ts'

/** What the installed certificate of each app says: read once, for all that ask. */
export interface Certificates {
  /** Undefined without a certificate, or for one that cannot be read. */
  of(key: Key, observed: ServerPilotApp): CertificateFacts | undefined
  forget(key: Key): void
}

/** No certificate was read yet. */
export function createCertificates(): Certificates {
  const known = new Map<Key, { pem: string | undefined; facts: CertificateFacts | undefined }>()
  return {
    of(key, { ssl }) {
      const before = known.get(key)
      if (before !== undefined && before.pem === ssl?.cert) return before.facts
      const facts = certificateFacts(ssl?.cert)
      known.set(key, { pem: ssl?.cert, facts })
      return facts
    },
    forget: (key) => void known.delete(key),
  }
}
