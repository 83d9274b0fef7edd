/** A value of PHP as far as settings need it: scalars, and the entries of arrays; `Opaque` is anything else that PHP can write. */
export type PhpValue = string | number | boolean | null | ReadonlyMap<string, PhpValue> | typeof Opaque

/** An object, an enum, a number that is none: it stands there, and nothing is made of it. */
export const Opaque = Symbol('a value of PHP that is not looked into')

/** What stands before the first colon, and up to where it goes on, of values that hold no others. */
const PLAIN: readonly (readonly [form: RegExp, make: (text: string) => PhpValue])[] = [
  [/^N;/, () => null],
  [/^b:([01]);/, (text) => text === '1'],
  [/^i:([+-]?\d+);/, (text) => Number(text)],
  [/^d:([+-]?(?:INF|NAN|[\d.]+(?:E[+-]?\d+)?));/i, (text) => (Number.isFinite(Number(text)) ? Number(text) : Opaque)],
]

/**
 * Reads what PHP's `serialize` wrote, whatever it is of; undefined when it is broken or something stands behind it. Lengths in it are
 * bytes, of the charset in which it was written: UTF-8 today, one byte a letter in networks that began long ago.
 */
export function readSerialized(text: string): PhpValue | undefined {
  for (const charset of ['utf8', 'latin1'] as const) {
    const bytes = Buffer.from(text, charset)
    // A character is a byte, so that lengths are those of PHP.
    const cursor: Cursor = { text: bytes.toString('latin1'), at: 0, charset, values: [] }
    try {
      const value = readValue(cursor)
      if (cursor.at === cursor.text.length) return value
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    }
  }
  return undefined
}

interface Cursor {
  text: string
  at: number
  charset: 'utf8' | 'latin1'
  /** Every value in order, to which references point by number. */
  values: PhpValue[]
}

/** Goes on behind what stands at the cursor, and gives the part in brackets. Throws `SyntaxError` where that is something else. */
function take(cursor: Cursor, form: RegExp): string {
  const sticky = new RegExp(form.source.replace(/^\^/, ''), `y${form.flags}`)
  sticky.lastIndex = cursor.at
  const found = sticky.exec(cursor.text)
  if (found === null) throw new SyntaxError('it is not as PHP writes it')
  cursor.at = sticky.lastIndex
  return found[1] ?? ''
}

const stands = ({ text, at }: Cursor, letters: string): boolean =>
  letters.includes(text[at] ?? '?') && text[at] !== undefined

function readValue(cursor: Cursor): PhpValue {
  if (stands(cursor, 'R')) return cursor.values[Number(take(cursor, /R:(\d+);/)) - 1] ?? fail()
  const slot = cursor.values.push(Opaque) - 1
  const value = readNew(cursor)
  cursor.values[slot] = value
  return value
}

function readNew(cursor: Cursor): PhpValue {
  if (stands(cursor, 's')) return asText(cursor, readBytes(cursor, 's:', ';'))
  if (stands(cursor, 'r')) return cursor.values[Number(take(cursor, /r:(\d+);/)) - 1] ?? fail()
  if (stands(cursor, 'a')) {
    take(cursor, /a:/)
    return readEntries(cursor)
  }
  if (stands(cursor, 'O')) {
    readBytes(cursor, 'O:', ':')
    readEntries(cursor)
    return Opaque
  }
  if (stands(cursor, 'E')) {
    readBytes(cursor, 'E:', ';')
    return Opaque
  }
  if (stands(cursor, 'C')) {
    readBytes(cursor, 'C:', ':')
    const length = Number(take(cursor, /(\d+):\{/))
    cursor.at += length
    take(cursor, /\}/)
    return Opaque
  }
  return readPlain(cursor)
}

function readPlain(cursor: Cursor): PhpValue {
  const end = cursor.text.indexOf(';', cursor.at) + 1
  const text = cursor.text.slice(cursor.at, end)
  for (const [form, make] of PLAIN) {
    const found = form.exec(text)
    if (found === null) continue
    cursor.at = end
    return make(found[1] ?? '')
  }
  return fail()
}

/** A text with its length before it, in quotes, then `end`. */
function readBytes(cursor: Cursor, begin: string, end: string): string {
  const length = Number(take(cursor, new RegExp(`${begin}(\\d+):"`)))
  const text = cursor.text.slice(cursor.at, cursor.at + length)
  cursor.at += length
  take(cursor, new RegExp(`"${end}`))
  return text
}

const asText = ({ charset }: Cursor, bytes: string): string => Buffer.from(bytes, 'latin1').toString(charset)

/** `2:{key value key value}`. Keys are texts or numbers, of objects too. */
function readEntries(cursor: Cursor): Map<string, PhpValue> {
  const count = Number(take(cursor, /(\d+):\{/))
  const entries = new Map<string, PhpValue>()
  for (let index = 0; index < count; index++) {
    const key = stands(cursor, 's') ? asText(cursor, readBytes(cursor, 's:', ';')) : take(cursor, /i:(-?\d+);/)
    entries.set(key, readValue(cursor))
  }
  take(cursor, /\}/)
  return entries
}

function fail(): never {
  throw new SyntaxError('it is not as PHP writes it')
}
