import type { PhpNode } from './node.ts'
import { asValue, type Value } from './values.ts'

const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', e: '\x1b', f: '\f' }
const ESCAPE = /\\(?:([nrtvef\\$"])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u\{([0-9a-fA-F]+)\})/g

/** The bytes of a text in UTF-8, a character for each. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

/**
 * What stands between double quotes, or in a heredoc (`quote` false: there `\"` stays as it is), as PHP reads it. PHP's strings are bytes:
 * the parser's own reading takes `"\xc3"` for a character, which is another password.
 */
export function unescaped(raw: string, quote: boolean): string {
  const bytes = bytesOf(raw).replace(ESCAPE, (whole, letter, octal, hex, point) => {
    if (letter !== undefined) return letter === '"' && !quote ? whole : (LETTERS[letter] ?? letter)
    const code = octal === undefined ? Number.parseInt(hex ?? point, 16) : Number.parseInt(octal, 8) & 0xff
    if (point === undefined) return String.fromCharCode(code)
    return code > 0x10ffff ? whole : bytesOf(String.fromCodePoint(code))
  })
  return Buffer.from(bytes, 'latin1').toString()
}

/** The text of a literal with its quotes, `'…'` or `"…"`. */
export const quoted = ({ raw, value, isDoubleQuote }: PhpNode): string =>
  isDoubleQuote ? unescaped(String(raw).replace(/^b/i, '').slice(1, -1), true) : String(value)

/** A text of the file. One with bytes that are not UTF-8 is not passed on as another one. */
export const textValue = (text: string): Value =>
  asValue(text.includes('\uFFFD') ? undefined : text, 'it holds bytes that are not UTF-8')

/** The end of a heredoc or nowdoc. Its indentation is taken from each line. `raw` may go on behind it. */
export function closing(raw: string, label: string): { index: number; indent: number } {
  const found = new RegExp(`\\n([ \\t]*)${label}(?!\\w)`).exec(raw)
  return { index: found?.index ?? 0, indent: found?.[1]?.length ?? 0 }
}

/** A piece of a heredoc's text without indentation. `first`, `last`: whether it begins and ends the text. */
export function outdent(raw: string, indent: number, { first, last }: { first: boolean; last: boolean }): string {
  // Empty lines may be shorter than the indentation.
  const text = raw.replace(new RegExp(`(?<=${first ? '^|' : ''}\\n)[ \\t]{0,${indent}}`, 'g'), '')
  return last ? text.replace(/\r?\n[ \t]*$/, '') : text
}

/** The text of a nowdoc, from all that stands in the file. */
export function nowdoc(raw: string, label: string): string {
  const { index, indent } = closing(raw, label)
  return outdent(raw.slice(raw.indexOf('\n') + 1, index + 1), indent, { first: true, last: true })
}

/** `10`, `0x1F`, `0b11`, `017`, `0o17`, `1_000`; undefined for anything but a whole number that is kept exactly. */
export function integer(raw: string): number | undefined {
  const text = raw.replaceAll('_', '').toLowerCase()
  const isWhole = /^(0[xb][0-9a-f]+|0o?[0-7]+|\d+)$/.test(text)
  const value = isWhole ? Number(text.replace(/^0o?(?=[0-7]+$)/, '0o')) : NaN
  return Number.isSafeInteger(value) ? value : undefined
}
