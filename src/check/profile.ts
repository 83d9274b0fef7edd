import type { CertificateFacts } from './certificate.ts'
import type { NAMES_PER_CERTIFICATE } from './limits.ts'

const DAY = 86_400_000

/** A certificate of the profile `shortlived` lives 160 hours, one of `tlsserver` 45 days. */
const LIVES = { shortlived: 10 * DAY, tlsserver: 46 * DAY } as const

/** From then on certificates of `classic` live 45 days as well. */
const CLASSIC_SHORTENS = Date.UTC(2028, 1, 16)

/**
 * The authority's profile that a certificate was issued under, as far as its life shows it: the default, `classic`, where it does not, and
 * where there is none. Times in epoch ms.
 */
export function profileOf(
  certificate: Omit<CertificateFacts, 'fingerprint'> | undefined,
): keyof typeof NAMES_PER_CERTIFICATE {
  if (certificate === undefined) return 'classic'
  const { notBefore, notAfter, names } = certificate
  // More names than the others take.
  if (names.length > 25) return 'classic'
  if (notAfter - notBefore < LIVES.shortlived) return 'shortlived'
  return notAfter - notBefore < LIVES.tlsserver && notBefore < CLASSIC_SHORTENS ? 'tlsserver' : 'classic'
}
