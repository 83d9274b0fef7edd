import { displayHost } from '../domain/host.ts'
import { listNames } from '../domain/list-names.ts'
import { dayOf } from '../time/day.ts'
import { type CertificateFacts, certificateLife, covers } from './certificate.ts'

/** So many hosts are named. */
const NAMED = 10

const CURE =
  'Nobody renews it but you: install one that names every host, or take it away at the panel so that AutoSSL issues one.'

/** Whether a certificate is installed that is not AutoSSL's. */
export const isCustom = (ssl: { auto: boolean; cert?: string } | null | undefined): boolean =>
  ssl?.auto === false && ssl.cert !== undefined

/**
 * What is wrong with a certificate that a person installed, and what to do about it; undefined while it is good for these hosts. `undefined`
 * for a certificate: it cannot be read. `now`: epoch ms. `whose`: hosts to name where it ends. Pure.
 */
export function customFault(
  certificate: Omit<CertificateFacts, 'fingerprint'> | undefined,
  hosts: readonly string[],
  now: number,
  whose: readonly string[] = [],
): string | undefined {
  if (certificate === undefined) return `The custom certificate cannot be read. ${CURE}`
  const life = certificateLife(certificate, now)
  const lacking = hosts.filter((host) => !covers(certificate, host))
  const said = [
    life === 'Good' ? [] : `${life === 'Expired' ? 'ended' : 'ends'} on ${dayOf(certificate.notAfter)}`,
    lacking.length === 0 ? [] : `does not name ${listNames(lacking.map(displayHost), NAMED)}`,
  ].flat()
  if (said.length === 0) return undefined
  const of = whose.length === 0 || life === 'Good' ? '' : ` for ${whose.map(displayHost).join(', ')}`
  return `The custom certificate${of} ${said.join(', and ')}. ${CURE}`
}
