import { isUtf8 } from 'node:buffer'

/**
 * The text of a file: UTF-8, or UTF-16 as Windows programs write it. Byte order marks go, also those that joining files
 * leaves at the start of a line. Anything else gives a message that names the encoding or the place: a parser makes one
 * string of such a file, without an error.
 */
export function decodeText(
  bytes: Uint8Array,
): { ok: true; text: string } | { ok: false; message: string; line?: number } {
  const encoding = detect(bytes)
  if (encoding.startsWith('utf-32')) {
    return { ok: false, message: `the file is encoded in ${encoding.toUpperCase()}; save it as UTF-8` }
  }
  let text: string
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return { ok: false, ...invalid(bytes, encoding) }
  }
  text = text.replace(/^\ufeff+/gm, '')
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f]/.exec(text)
  if (control === null) return { ok: true, text }
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return {
    ok: false,
    message: `the file is not text: it has the control character U+${code}`,
    line: text.slice(0, control.index).split('\n').length,
  }
}

/** By byte order mark, else by the NUL bytes that ASCII characters have in wider encodings (YAML 1.2, section 5.2). */
function detect(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be'
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'utf-16le'
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return 'utf-16be'
  if (a !== 0 && b === 0 && c === 0 && d === 0) return 'utf-32le'
  return 'utf-8'
}

function invalid(bytes: Uint8Array, encoding: string): { message: string; line?: number } {
  if (encoding !== 'utf-8') return { message: `the file is damaged: it is not valid ${encoding.toUpperCase()}` }
  // No byte of a longer UTF-8 character is a line feed, so each line can be tried on its own.
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  const line = lines.findIndex((each) => !isUtf8(Buffer.from(each, 'latin1'))) + 1
  return { message: 'the file is not in UTF-8 (perhaps in Latin-1 or Windows-1252); save it as UTF-8', line }
}
