/** The few ASN.1 DER encodings that an X.509 certificate needs (ITU-T X.690). */

function encode(tag: number, content: Uint8Array): Buffer {
  const length = content.length
  if (length < 128) return Buffer.concat([Uint8Array.of(tag, length), content])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.concat([Uint8Array.of(tag, 128 + bytes.length, ...bytes), content])
}

/** SEQUENCE of encoded parts. */
export const sequence = (...parts: Uint8Array[]): Buffer => encode(0x30, Buffer.concat(parts))

/** SET of encoded parts. */
export const set = (...parts: Uint8Array[]): Buffer => encode(0x31, Buffer.concat(parts))

/** Non-negative INTEGER, big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = first === -1 ? Uint8Array.of(0) : bytes.subarray(first)
  return encode(0x02, digits[0]! >= 128 ? Buffer.concat([Uint8Array.of(0), digits]) : digits)
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const group = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) group.unshift((left % 128) + 128)
    bytes.push(...group)
  }
  return encode(0x06, Uint8Array.from(bytes))
}

/** BOOLEAN true. */
export const yes = (): Buffer => encode(0x01, Uint8Array.of(0xff))

/** UTF8String. */
export const utf8 = (text: string): Buffer => encode(0x0c, Buffer.from(text))

/** OCTET STRING. */
export const octets = (content: Uint8Array): Buffer => encode(0x04, content)

/** BIT STRING; `unused` is the number of bits at the end that do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  encode(0x03, Buffer.concat([Uint8Array.of(unused), content]))

/** Explicit context tag around encoded content. */
export const explicit = (tag: number, content: Uint8Array): Buffer => encode(0xa0 + tag, content)

/** Implicit context tag on primitive content. */
export const implicit = (tag: number, content: Uint8Array): Buffer => encode(0x80 + tag, content)

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280), from milliseconds since 1970; parts of a second are cut. */
export function time(ms: number): Buffer {
  const date = new Date(ms)
  const digits = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050 ? encode(0x17, Buffer.from(digits.slice(2))) : encode(0x18, Buffer.from(digits))
}
