/** Real X.509 certificates for simulated names: P-256 keys, signed by a certificate authority of the simulator's own. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** Signs certificates. Keeps its private key for itself. */
export type Authority = ReturnType<typeof createAuthority>

const AUTHORITY_NAME = 'ServerPilot simulator authority'
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const YEAR = 365 * 24 * 3_600_000

/** Makes an authority with a new key, valid from ten years before to ten years after `now` (milliseconds since 1970). */
export function createAuthority(now: number) {
  const { privateKey } = newKeys()

  function certificate(
    publicKey: KeyObject,
    subject: string | undefined,
    validity: Buffer,
    extensions: Buffer,
  ): string {
    const algorithm = sequence(objectId(ECDSA_SHA256))
    const body = sequence(
      explicit(0, integer(Uint8Array.of(2))), // version 3
      // The first byte keeps the serial number positive.
      integer(Buffer.concat([Uint8Array.of(1), randomBytes(15)])),
      algorithm,
      distinguishedName(AUTHORITY_NAME),
      validity,
      distinguishedName(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      explicit(3, extensions),
    )
    const der = sequence(body, algorithm, bits(sign('sha256', body, privateKey), 0))
    const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
  }

  const extensions = sequence(
    extension('2.5.29.19', sequence(yes()), true),
    extension('2.5.29.15', bits(Uint8Array.of(0b0000_0110), 1), true),
  )
  const validity = sequence(time(now - 10 * YEAR), time(now + 10 * YEAR))
  return {
    /** PEM of its own certificate, as `cacerts` shows it. */
    cert: certificate(createPublicKey(privateKey), AUTHORITY_NAME, validity, extensions),
    /** Issues for these names; times in milliseconds since 1970. */
    issue(names: readonly string[], notBefore: number, notAfter: number): { key: string; cert: string } {
      const own = newKeys()
      // A common name holds 64 characters; without a subject the alternative names have to be critical.
      const subject = names.find((name) => name.length <= 64)
      const extensions = sequence(
        extension('2.5.29.15', bits(Uint8Array.of(0b1000_0000), 7), true),
        extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1')), false),
        extension('2.5.29.17', sequence(...names.map(alternativeName)), subject === undefined),
      )
      return {
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        cert: certificate(own.publicKey, subject, sequence(time(notBefore), time(notAfter)), extensions),
      }
    },
  }
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

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

/** The few ASN.1 DER encodings that this needs (ITU-T X.690). */
function encode(tag: number, content: Uint8Array): Buffer {
  const length = content.length
  if (length < 128) return Buffer.concat([Uint8Array.of(tag, length), content])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.concat([Uint8Array.of(tag, 128 + bytes.length, ...bytes), content])
}

const yes = (): Buffer => encode(0x01, Uint8Array.of(0xff))
const integer = (bytes: Uint8Array): Buffer => encode(0x02, bytes)
/** `unused`: bits at the end that do not count. */
const bits = (content: Uint8Array, unused: number): Buffer =>
  encode(0x03, Buffer.concat([Uint8Array.of(unused), content]))
const octets = (content: Uint8Array): Buffer => encode(0x04, content)
const utf8 = (text: string): Buffer => encode(0x0c, Buffer.from(text))
const sequence = (...parts: Uint8Array[]): Buffer => encode(0x30, Buffer.concat(parts))
const set = (content: Uint8Array): Buffer => encode(0x31, content)
const implicit = (tag: number, content: Uint8Array): Buffer => encode(0x80 + tag, content)
const explicit = (tag: number, content: Uint8Array): Buffer => encode(0xa0 + tag, content)

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const group = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) group.unshift((left % 128) + 128)
    bytes.push(...group)
  }
  return encode(0x06, Uint8Array.from(bytes))
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280), from milliseconds since 1970; parts of a second are cut. */
function time(ms: number): Buffer {
  const date = new Date(ms)
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050 ? encode(0x17, Buffer.from(digits.slice(2))) : encode(0x18, Buffer.from(digits))
}
