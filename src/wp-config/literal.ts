const LETTERS: Readonly<Record<string, number>> = {
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  e: 0x1b,
  f: 0x0c,
  '\\': 0x5c,
  $: 0x24,
}

const ESCAPE = /\\(?:([nrtvef\\$"])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u\{([0-9a-fA-F]+)\})/g

/**
 * What stands between double quotes, or in a heredoc (`quote` false: there `\"` stays as it is), as PHP reads it. PHP's strings are bytes:
 * undefined when these are not UTF-8. The parser's own reading takes `"\xc3"` for a character, which is another password.
 */
export function unescaped(raw: string, quote: boolean): string | undefined {
  const chunks: Buffer[] = []
  let end = 0
  for (const match of raw.matchAll(ESCAPE)) {
    const bytes = bytesOf(match, quote)
    if (bytes === undefined) continue
    chunks.push(Buffer.from(raw.slice(end, match.index)), bytes)
    end = match.index + match[0].length
  }
  chunks.push(Buffer.from(raw.slice(end)))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
  } catch {
    return undefined
  }
}

/** The bytes of one escape; undefined when PHP leaves it as it stands. */
function bytesOf([, letter, octal, hex, point]: RegExpExecArray, quote: boolean): Buffer | undefined {
  if (octal !== undefined) return Buffer.from([Number.parseInt(octal, 8) & 0xff])
  if (hex !== undefined) return Buffer.from([Number.parseInt(hex, 16)])
  if (point !== undefined) {
    const code = Number.parseInt(point, 16)
    return code > 0x10ffff ? undefined : Buffer.from(String.fromCodePoint(code))
  }
  if (letter === '"') return quote ? Buffer.from('"') : undefined
  const byte = LETTERS[letter ?? '']
  return byte === undefined ? undefined : Buffer.from([byte])
}

/** A whole literal with its quotes, `'…'` or `"…"`; undefined when its bytes are not UTF-8. */
export function quoted(raw: string): string | undefined {
  const text = raw.replace(/^b/i, '').slice(1, -1)
  return raw.endsWith('"') ? unescaped(text, true) : text.replaceAll(/\\([\\'])/g, '$1')
}

/** How far the closing label of a heredoc or nowdoc stands in: so much is taken from each line. `raw` may go on behind the label. */
export const indentOf = (raw: string, label: string): number => closing(raw, label)?.[1]?.length ?? 0

const closing = (raw: string, label: string): RegExpExecArray | null =>
  new RegExp(`\\n([ \\t]*)${label}(?!\\w)`).exec(raw)

/** A piece of a heredoc's text without indentation. `first`, `last`: whether it begins and ends the text. */
export function outdent(raw: string, indent: number, { first, last }: { first: boolean; last: boolean }): string {
  const body = last ? raw.replace(/\r?\n[ \t]*$/, '') : raw
  const lines = body.split('\n')
  return lines.map((line, index) => (index === 0 && !first ? line : line.slice(indentWidth(line, indent)))).join('\n')
}

/** Empty lines may be shorter than the indentation. */
const indentWidth = (line: string, indent: number): number => Math.min(indent, /^[ \t]*/.exec(line)?.[0].length ?? 0)

/** The text of a nowdoc, from all that stands in the file. */
export function nowdoc(raw: string, label: string): string {
  const [start, end] = [raw.indexOf('\n') + 1, closing(raw, label)?.index ?? 0]
  // Empty: the closing label stands in the next line.
  if (end < start) return ''
  return outdent(raw.slice(start, end).replace(/\r$/, ''), indentOf(raw, label), { first: true, last: false })
}

/** `10`, `0x1F`, `0b11`, `017`, `0o17`, `1_000`; undefined for anything but a whole number that is kept exactly. */
export function integer(raw: string): number | undefined {
  const text = raw.replaceAll('_', '').toLowerCase()
  const octal = /^0o?([0-7]+)$/.exec(text)?.[1]
  const value =
    octal !== undefined ? Number.parseInt(octal, 8) : /^(0[xb][0-9a-f]+|\d+)$/.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(value) ? value : undefined
}
