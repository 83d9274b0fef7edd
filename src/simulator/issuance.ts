/** Real X.509 certificates for simulated names: P-256 keys, signed by a certificate authority of the simulator's own. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, explicit, implicit, integer, objectId, octets, sequence, set, time, utf8, yes } from './der.ts'

/** Signs certificates. Keeps its private key for itself. */
export interface Authority {
  /** PEM of its own certificate, as `cacerts` shows it. */
  cert: string
  /** Issues for these names; times in milliseconds since 1970. */
  issue(names: readonly string[], notBefore: number, notAfter: number): { key: string; cert: string }
}

const AUTHORITY_NAME = 'ServerPilot simulator authority'
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const YEAR = 365 * 24 * 3_600_000

/** Makes an authority with a new key, valid from ten years before to ten years after `now` (milliseconds since 1970). */
export function createAuthority(now: number): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const cert = certificate({
    signer: privateKey,
    publicKey: createPublicKey(privateKey),
    subject: AUTHORITY_NAME,
    notBefore: now - 10 * YEAR,
    notAfter: now + 10 * YEAR,
    extensions: [
      extension('2.5.29.19', sequence(yes()), true),
      extension('2.5.29.15', bits(Uint8Array.of(0b0000_0110), 1), true),
    ],
  })
  return {
    cert,
    issue(names, notBefore, notAfter) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      // A common name holds 64 characters; without a subject the alternative names have to be critical.
      const subject = names.find((name) => name.length <= 64)
      return {
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        cert: certificate({
          signer: privateKey,
          publicKey: pair.publicKey,
          subject,
          notBefore,
          notAfter,
          extensions: [
            extension('2.5.29.15', bits(Uint8Array.of(0b1000_0000), 7), true),
            extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1')), false),
            extension('2.5.29.17', sequence(...names.map(alternativeName)), subject === undefined),
          ],
        }),
      }
    },
  }
}

interface CertificateParts {
  signer: KeyObject
  publicKey: KeyObject
  subject: string | undefined
  notBefore: number
  notAfter: number
  extensions: Buffer[]
}

function certificate(parts: CertificateParts): string {
  const algorithm = sequence(objectId(ECDSA_SHA256))
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))), // version 3
    integer(randomBytes(16)),
    algorithm,
    distinguishedName(AUTHORITY_NAME),
    sequence(time(parts.notBefore), time(parts.notAfter)),
    distinguishedName(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...parts.extensions)),
  )
  const der = sequence(body, algorithm, bits(sign('sha256', body, parts.signer)))
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function distinguishedName(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence()
  return sequence(set(sequence(objectId('2.5.4.3'), utf8(commonName))))
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(objectId(id), ...(critical ? [yes()] : []), octets(value))
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return implicit(7, Uint8Array.from(name.split('.').map(Number)))
  return implicit(2, Buffer.from(name, 'ascii'))
}
