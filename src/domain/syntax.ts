import { isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'

/** Longest host name and longest label, in characters of the ASCII form. */
export const MAX_HOST = 253
const MAX_LABEL = 63

/** Longer input is refused unread: no spelling of a valid name comes near it. */
const MAX_INPUT = 4096

/** Blanks that copy and paste leaves around a name; `\s` has the no-break space and the byte order mark, but not these. */
const AROUND = /^[\s\u0085\u200b\u2060]+|[\s\u0085\u200b\u2060]+$/g

const SHOWN_AS_IT_IS = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u

type Ascii = { ok: true; name: string } | { ok: false; message: string }

/**
 * The ASCII form of a name in any spelling, checked label by label. `url.domainToASCII` alone would not do: it cuts at `/`
 * and `:`, rewrites `0x7f.1` to an address, and lets malformed punycode and empty labels pass.
 */
export function toAscii(input: string): Ascii {
  if (input.length > MAX_INPUT) return refuse(`the name has ${input.length} characters; ${MAX_HOST} is the most`)
  const written = input.replace(AROUND, '')
  if (written === '') return refuse('the name is empty')
  const alien = notAHostName(written)
  if (alien !== undefined) return refuse(alien)

  const mapped = isAscii(written) ? written.toLowerCase() : domainToASCII(written)
  if (mapped === '') return refuse(unmappable(written))
  const name = mapped.endsWith('.') ? mapped.slice(0, -1) : mapped
  const fault = labelsFault(name, written)
  return fault === undefined ? { ok: true, name } : refuse(fault)
}

/** A name quoted for a message: cut when long, with characters that nobody can see shown as `U+00A0`. */
export function spell(text: string): string {
  const characters = [...text]
  const shown = characters.slice(0, 100).map(spellCharacter).join('')
  return `"${shown}${characters.length > 100 ? '…' : ''}"`
}

function refuse(message: string): Ascii {
  return { ok: false, message }
}

/** Something else than a host name in the place of one: a URL, an address, a name with a port, characters that none has. */
function notAHostName(written: string): string | undefined {
  const quoted = spell(written)
  if (isIPv6(written.replace(/^\[(.*)\](:\d+)?$/, '$1'))) return `${quoted} is an IP address; give a host name`
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(written)
  if (scheme !== null) return `${quoted} is a URL; give only the host name${hint(scheme[1] ?? '')}`
  if (/\\[*.]/.test(written)) return `${quoted} has a backslash; write ${spell(written.replaceAll('\\', ''))}`
  const cut = /[/\\?#]/.exec(written)
  if (cut !== null) {
    const part = PARTS[cut[0]] ?? 'a path'
    const [host, rest] = [written.slice(0, cut.index), written.slice(cut.index)]
    return `${quoted} has ${part}, ${spell(rest)}; give only the host name${hint(host)}`
  }
  const port = /^([^:]*):\d*$/.exec(written)
  if (port !== null) return `${quoted} has a port; give only the host name${hint(port[1] ?? '')}`
  const bad = /[^a-z0-9.*\u0080-\u{10ffff}-]/iu.exec(written)
  return bad === null ? undefined : badCharacter(bad[0], written)
}

/** What begins with these in a URL; a path with everything else. */
const PARTS: Record<string, string> = { '?': 'a query', '#': 'a fragment' }

function hint(host: string): string {
  const name = host.replace(/^.*@/, '').replace(/:\d*$/, '')
  return name === '' ? '' : `, ${spell(name)}`
}

function labelsFault(name: string, written: string): string | undefined {
  const quoted = spell(written)
  if (name === '') return `${quoted} is not a host name: it has no labels`
  if (name.length > MAX_HOST)
    return `${quoted} has ${name.length} characters in its ASCII form; ${MAX_HOST} is the most`
  const labels = name.split('.')
  if (labels[0] === '*') labels.shift()
  if (labels.includes('')) return `${quoted} has an empty label (two dots in a row, or a dot at the front)`
  if (isAddress(labels)) return `${quoted} is an IP address; give a host name`
  for (const label of labels) {
    const fault = labelFault(label)
    if (fault !== undefined) return `${quoted}: ${fault}`
  }
  if (labels.length < 2) return `${quoted} is a single label; give the complete name, as in shop.example.com`
  const last = labels.at(-1) ?? ''
  // A last label of this shape makes browsers read the whole name as an address.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(last)) return `${quoted} ends in the number ${last}; no top-level domain is a number`
  return punycodeFault(name, quoted)
}

function labelFault(label: string): string | undefined {
  if (label.includes('*')) return 'a "*" may only be the whole leftmost label, as in *.example.com'
  const bad = /[^a-z0-9-]/u.exec(label)
  if (bad !== null) return `the character ${nameCharacter(bad[0])} may not stand in a host name`
  if (label.length > MAX_LABEL)
    return `the label ${spell(label)} has ${label.length} characters; ${MAX_LABEL} is the most`
  if (label.startsWith('-') || label.endsWith('-')) return `the label ${spell(label)} begins or ends with a hyphen`
  return undefined
}

/** All spellings of IPv4: fewer parts, octal, hexadecimal. */
function isAddress(labels: string[]): boolean {
  return labels.length > 0 && labels.length <= 4 && labels.every((label) => /^(?:\d+|0x[0-9a-f]*)$/.test(label))
}

/** A label that says `xn--` must decode, and encode again to itself. */
function punycodeFault(name: string, quoted: string): string | undefined {
  if (!/(?:^|\.)xn--/.test(name)) return undefined
  const unicode = domainToUnicode(name)
  const stuck = unicode.split('.').find((label) => label.startsWith('xn--'))
  if (stuck !== undefined) return `${quoted}: the label ${spell(stuck)} is malformed punycode`
  return domainToASCII(unicode) === name
    ? undefined
    : `${quoted} is malformed punycode: it does not decode to a valid name`
}

/** Why the Unicode tables have no ASCII form for this name: the first character that has none, where one is to blame. */
function unmappable(written: string): string {
  for (const character of written) {
    if (isAscii(character)) continue
    // Marks and joiners are valid after a letter only, so each character is tried behind one.
    if (domainToASCII(`a${character}a`) === '' && domainToASCII(character) === '')
      return badCharacter(character, written)
  }
  const last = written.replace(/\.$/, '').split('.').at(-1) ?? ''
  if (/^(?:\p{N}+|0x[0-9a-f]*)$/iu.test(last))
    return `${spell(written)} ends in a number; no top-level domain is a number`
  return `${spell(written)} is not a valid international host name (its characters may not stand in this order)`
}

function badCharacter(character: string, written: string): string {
  return `${spell(written)}: the character ${nameCharacter(character)} may not stand in a host name`
}

function nameCharacter(character: string): string {
  const shown = spellCharacter(character)
  return shown === character && character !== ' ' ? `"${character}"` : codePoint(character)
}

function spellCharacter(character: string): string {
  return character === ' ' || SHOWN_AS_IT_IS.test(character) ? character : codePoint(character)
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}
