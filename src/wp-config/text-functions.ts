import {
  arrayOf,
  asText,
  entriesOf,
  isIndex,
  keyOf,
  known,
  listOf,
  nextIndex,
  objectOf,
  operate,
  type Result,
  type Scalar,
  unknown,
  type Value,
} from './values.ts'

/** PHP counts bytes: of other texts, what counts is not worked out. */
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

/** Of texts that are ASCII; another number of arguments than `make` has is an option that is not known here. */
const ofBytes =
  (make: (...texts: string[]) => Result) =>
  (...values: Scalar[]): Result =>
    values.length === make.length && values.every((each) => isAscii(asText(each)))
      ? make(...values.map(asText))
      : undefined

/** Where a text begins and ends with these characters taken off. */
const trimmed =
  (...ends: ('^' | '$')[]) =>
  (text: Scalar = null, characters: Scalar = ' \t\n\r\0\v', ...others: Scalar[]): Result => {
    const set = asText(characters)
    if (others.length > 0 || set.includes('..') || !isAscii(set)) return undefined
    const any = `[${set.replaceAll(/[\]\\^-]/g, '\\$&')}]+`
    if (set === '') return asText(text)
    return asText(text).replace(new RegExp(ends.map((end) => (end === '^' ? `^${any}` : `${any}$`)).join('|'), 'g'), '')
  }

/** As PHP does it: Node's keeps doubled slashes, and makes a dot of nothing. */
function dirname(path: string): string {
  const clean = path.replace(/\/+$/, '')
  if (clean === '') return path === '' ? '' : '/'
  const slash = clean.lastIndexOf('/')
  return slash < 0 ? '.' : clean.slice(0, slash).replace(/\/+$/, '') || '/'
}

function substr(text: Scalar = null, start: Scalar = 0, length: Scalar = null): Result {
  const all = asText(text)
  if (typeof start !== 'number' || !(length === null || typeof length === 'number') || !isAscii(all)) return undefined
  const from = start < 0 ? Math.max(0, all.length + start) : Math.min(start, all.length)
  const to = length === null ? all.length : length < 0 ? all.length + length : from + length
  return all.slice(from, Math.max(from, to))
}

function explode(separator: Scalar = null, text: Scalar = null, limit: Scalar = null): Result {
  const [sign, parts] = [asText(separator), asText(text).split(asText(separator))]
  if (sign === '') return undefined
  if (limit === null) return listOf(parts.map(known))
  if (typeof limit !== 'number' || limit < 1) return undefined
  const first = parts.slice(0, limit - 1)
  return listOf([...first, parts.slice(limit - 1).join(sign)].map(known))
}

function sprintf(format: Scalar = null, ...values: Scalar[]): Result {
  let next = 0
  let isKnown = true
  const text = asText(format).replaceAll(/%(?:(\d+)\$)?([^%]|%)/g, (_, place, kind) => {
    if (kind === '%') return '%'
    const value = values[place === undefined ? next++ : Number(place) - 1]
    isKnown &&= value !== undefined && (kind === 's' || (kind === 'd' && typeof value === 'number'))
    return asText(value ?? null)
  })
  return isKnown ? text : undefined
}

/** What a JSON text holds, as arrays or as objects. What JavaScript would make another value of is not known. */
function jsonDecode(text: Scalar = null, asArray: Scalar = false, ...others: Scalar[]): Result {
  const toValue = (each: unknown): Value => {
    if (typeof each === 'number' && (!Number.isSafeInteger(each) || Object.is(each, -0)))
      return unknown('it is a number that is not kept exactly')
    if (typeof each !== 'object' || each === null) return known(each as Scalar)
    const entries = new Map(Object.entries(each).map(([key, value]) => [key, toValue(value)]))
    if (Array.isArray(each)) return arrayOf(entries)
    // JavaScript puts numbers before other keys.
    if ([...entries.keys()].some(isIndex)) return unknown('it has numbers for keys')
    return asArray === true ? arrayOf(entries) : objectOf(entries)
  }
  if (others.length > 0) return undefined
  try {
    const value: unknown = JSON.parse(asText(text))
    return JSON.stringify(value).isWellFormed() && !asText(text).includes('\\u') ? toValue(value) : undefined
  } catch {
    return null
  }
}

function base64Decode(text: Scalar = null): Result {
  const encoded = asText(text)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString()
  return decoded.includes('\uFFFD') ? undefined : decoded
}

function urlDecode(text: string): Result {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const URL_PARTS = ['scheme', 'host', 'port', 'user', 'pass', 'path', 'query', 'fragment'] as const
const URL =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:(?<user>[^:@/?#[\]]+)(?::(?<pass>[^:@/?#]*))?@)?(?<host>[^:@/?#[\]]+)(?::(?<port>[1-9]\d{0,3}))?(?<path>\/[^?#]*)?(?:\?(?<query>[^#]+))?(?:#(?<fragment>.+))?$/i

/** The parts of a URL of the usual form; what PHP makes of any other is not worked out. */
function parseUrl(url: Scalar = null, component: Scalar = -1): Result {
  const groups = /^[!-~]*$/.test(asText(url)) ? URL.exec(asText(url))?.groups : undefined
  if (groups === undefined || typeof component !== 'number') return undefined
  const parts = URL_PARTS.flatMap((name) => {
    const text = groups[name]
    return text === undefined ? [] : [[name, known(name === 'port' ? Number(text) : text)] as const]
  })
  const found = new Map<string, Value>(parts)
  return component === -1 ? arrayOf(found) : (found.get(URL_PARTS[component] ?? '') ?? null)
}

/** Functions of scalars. */
export const TEXTS: Readonly<Record<string, (...values: Scalar[]) => Result>> = {
  dirname: (path = null, levels = 1, ...others) => {
    if (typeof levels !== 'number' || levels < 1 || others.length > 0) return undefined
    let text = asText(path)
    for (let level = levels; level > 0; level--) text = dirname(text)
    return text
  },
  basename: (text = null, ...others) => (others.length > 0 ? undefined : (/([^/]*)\/*$/.exec(asText(text))?.[1] ?? '')),
  trim: trimmed('^', '$'),
  rtrim: trimmed('$'),
  chop: trimmed('$'),
  ltrim: trimmed('^'),
  strtolower: (text = null) => asText(text).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
  strtoupper: (text = null) => asText(text).replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()),
  strval: (text = null) => asText(text),
  intval: (text = null, ...others) =>
    others.length === 0 && /^-?\d{1,15}$/.test(asText(text)) ? Number(asText(text)) + 0 : undefined,
  strlen: ofBytes((text) => (text ?? '').length),
  substr,
  strpos: ofBytes((text, part) => (index(text, part) < 0 ? false : index(text, part))),
  stripos: ofBytes((text, part) => {
    const at = index(text?.toLowerCase(), part?.toLowerCase())
    return at < 0 ? false : at
  }),
  str_contains: (text = null, part = null) => asText(text).includes(asText(part)),
  str_starts_with: (text = null, part = null) => asText(text).startsWith(asText(part)),
  str_ends_with: (text = null, part = null) => asText(text).endsWith(asText(part)),
  str_replace: (from = null, to = null, text = null, ...others) =>
    others.length > 0 ? undefined : from === '' ? asText(text) : asText(text).split(asText(from)).join(asText(to)),
  explode,
  sprintf,
  json_decode: jsonDecode,
  base64_decode: (text = null, ...others) => (others.length > 0 ? undefined : base64Decode(text)),
  rawurldecode: (text = null) => urlDecode(asText(text)),
  urldecode: (text = null) => urlDecode(asText(text).replaceAll('+', ' ')),
  parse_url: parseUrl,
}

const index = (text = '', part = ''): number => text.indexOf(part)

const open = (value: Value | undefined): Value =>
  value === undefined || value.known ? unknown('it is no array') : unknown(value.why, value.at)

/** Functions of arrays. */
export const ARRAYS: Readonly<Record<string, (values: readonly Value[]) => Result>> = {
  implode: ([first, second]) => joined(first, second),
  join: ([first, second]) => joined(first, second),
  count: ([array]) => entriesOf(array)?.size ?? open(array),
  array_key_exists: ([key, array]) =>
    (key?.known ? entriesOf(array)?.has(asText(key.value)) : undefined) ?? open(array),
  array_keys: ([array, ...others]) => {
    const entries = entriesOf(array)
    return others.length > 0 || entries === undefined ? open(array) : listOf([...entries.keys()].map(keyOf))
  },
  array_values: ([array]) => {
    const entries = entriesOf(array)
    return entries === undefined ? open(array) : listOf([...entries.values()])
  },
  array_merge: (arrays) => {
    const all = new Map<string, Value>()
    for (const each of arrays) {
      const entries = entriesOf(each)
      if (entries === undefined) return open(each)
      for (const [key, value] of entries) all.set(isIndex(key) ? String(nextIndex(all)) : key, value)
    }
    return arrayOf(all)
  },
  in_array: ([needle, array, strict]) => {
    const entries = entriesOf(array)
    if (!needle?.known || entries === undefined) return open(needle?.known ? array : needle)
    const operator = strict?.known && strict.value === true ? '===' : '=='
    const found = [...entries.values()].map(
      (each) => each.known && operate(operator, needle.value, each.value) === true,
    )
    return found.includes(true) || ([...entries.values()].every((each) => each.known) ? false : undefined)
  },
}

function joined(first: Value | undefined, second: Value | undefined): Result {
  const entries = entriesOf(second)
  const values = [...(entries?.values() ?? [])]
  const lacking = values.find((each) => !each.known)
  if (!first?.known || entries === undefined || lacking) return open(lacking ?? second ?? first)
  return values.map((each) => (each.known ? asText(each.value) : '')).join(asText(first.value))
}
