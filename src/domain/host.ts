import { domainToUnicode } from 'node:url'
import { getDomain, getPublicSuffix, parse } from 'tldts'
import { MAX_HOST, spell, toAscii } from './syntax.ts'

/** A canonical host name: lower-case ASCII (punycode), no final dot, valid by every rule of `parseHost`. */
export type Host = string & { readonly __host: true }

/** What `parseHost` makes of one name: the canonical host, or the reason why it is not one. */
type ParsedHost = { ok: true; host: Host } | { ok: false; message: string }

/** The `www` rule, as in `spec.www`. */
export type WwwRule = 'Always' | 'MainOnly' | 'Never'

/**
 * Names of this shape are canonical as they are, up to the list of public suffixes. Nearly all names are, and they come by
 * the ten thousand, so the way through the Unicode tables is for the others.
 */
const CANONICAL = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The entries of the list of public suffixes that a registry stands behind (`co.uk`) have at most this many labels. */
const MAX_SUFFIX_LABELS = 4

/** tldts on names that are canonical already: nothing to extract, nothing to validate. */
const REGISTRY = {
  allowPrivateDomains: false,
  extractHostname: false,
  validateHostname: false,
  detectIp: false,
} as const
const ANYBODY = { ...REGISTRY, allowPrivateDomains: true } as const

/**
 * Brings a name as people write it into canonical form: blanks around it, letter case, Unicode (UTS 46, non-transitional:
 * `faß` is not `fass`), and one final dot. A `*` may be the whole leftmost label.
 *
 * Gives a message that quotes the name and says what is wrong with it, fit for a user. Total: never throws.
 */
export function parseHost(input: string): ParsedHost {
  if (isPlain(input)) return suffixFault(input) ?? { ok: true, host: input as Host }
  const ascii = toAscii(input)
  if (!ascii.ok) return ascii
  return suffixFault(ascii.name) ?? { ok: true, host: ascii.name as Host }
}

/** Nothing is left to be brought into canonical form. */
function isPlain(input: string): boolean {
  return input.length <= MAX_HOST && CANONICAL.test(input) && !input.includes('xn--')
}

/**
 * The key by which an observed name is compared: its canonical form where it has one, else the name in lower case without
 * blanks around it and without a final dot. Total: whatever ServerPilot lists gets a key.
 */
export function compareKey(observed: string): string {
  // Canonical or a public suffix: the key is the name itself either way, so the list of suffixes need not be asked.
  if (isPlain(observed)) return observed
  const parsed = parseHost(observed)
  return parsed.ok ? parsed.host : observed.trim().toLowerCase().replace(/\.$/, '')
}

/**
 * Brings a pattern of hosts into canonical form: one host, or `*.example.com`, also below a single label or a public suffix
 * (`*.internal`, `*.de`), where no host could have that name. Gives the message of `parseHost` for anything else. Total: never throws.
 */
export function parsePattern(input: string): { ok: true; pattern: string } | { ok: false; message: string } {
  const parsed = parseHost(input)
  if (parsed.ok) return { ok: true, pattern: parsed.host }
  const trimmed = input.trim()
  // Whether there can be hosts below it is seen of one of them.
  const below = trimmed.startsWith('*.') ? parseHost(`a.${trimmed.slice(2)}`) : parsed
  return below.ok ? { ok: true, pattern: `*.${below.host.slice(2)}` } : parsed
}

/** A host for people: `xn--bcher-kva.example (bücher.example)` where the two forms differ, else the name alone. */
export function displayHost(host: Host | string): string {
  const unicode = unicodeHost(host)
  return unicode === undefined ? host : `${host} (${unicode})`
}

/** `bücher.example` of `xn--bcher-kva.example`: as people write it; undefined where that is no other form. */
export function unicodeHost(host: Host | string): string | undefined {
  if (!host.includes('xn--')) return undefined
  const unicode = domainToUnicode(host)
  return unicode === host || unicode === '' ? undefined : unicode
}

/**
 * Whether the host is a domain that somebody registered, not a name below one: `example.co.uk`, `example.uk.com` (sold by a
 * private registry), `network.example` (suffix not in the list), but not `shop.example.com`.
 */
export function isMainDomain(host: Host): boolean {
  return registrableDomain(host) === host
}

/** The domain that somebody registered, of which the host is a part: `example.co.uk` of `a.b.example.co.uk`. */
export function registrableDomain(host: string): string {
  // A private registry's own name (`uk.com`) is a suffix in the whole list and a registered domain in the registries' part.
  return getDomain(host, ANYBODY) ?? getDomain(host, REGISTRY) ?? host
}

/**
 * What the certificate authority counts certificates by: the domain that somebody registered, as `registrableDomain`, but the own name of
 * a private registry (`uk.com`) and what it hands out (`shop.github.io`) count for themselves. Of a wildcard too.
 */
export function limitKey(name: string): string {
  const domain = getDomain(name, ANYBODY)
  if (domain !== null) return domain
  // To tldts the parent of `*.compute.amazonaws.com` is a suffix as well, to the authority it is not.
  const isParent = getPublicSuffix(`a.${name}`, ANYBODY) === `a.${name}`
  return (isParent ? getDomain(name.slice(name.indexOf('.') + 1), ANYBODY) : undefined) ?? name
}

/**
 * The `www.` name that goes with a host under a rule; none for a name that begins with `www.` already and for wildcards.
 * `note` says why a name that the rule asks for cannot be had.
 */
export function wwwHost(host: Host, rule: WwwRule): { host?: Host; note?: string } {
  if (rule === 'Never' || host.startsWith('www.') || host.startsWith('*.')) return {}
  if (rule === 'MainOnly' && !isMainDomain(host)) return {}
  const www = `www.${host}`
  if (www.length > MAX_HOST) {
    return { note: `no www. name: www.${host} would have ${www.length} characters, more than ${MAX_HOST}` }
  }
  return { host: www as Host }
}

/** The name without `www.` of a host that begins with it, where the rule gives the two together. */
export function bareHost(host: Host, rule: WwwRule): Host | undefined {
  const parsed = host.startsWith('www.') ? parseHost(host.slice('www.'.length)) : undefined
  return parsed?.ok && wwwHost(parsed.host, rule).host === host ? parsed.host : undefined
}

/**
 * Whether a host is covered by one pattern of `allowedDomains`: `*` covers every host, `*.example.com` every name below
 * `example.com` at any depth but not itself, anything else that one name. Patterns may be written in any spelling.
 */
export function matchesPattern(host: Host, pattern: string): boolean {
  const wanted = pattern.trim() === '*' ? '*' : compareKey(pattern)
  if (wanted === '*' || wanted === host) return true
  return wanted.startsWith('*.') && host.endsWith(wanted.slice(1))
}

/**
 * The rule of the certificate authority (Let's Encrypt) that a valid host breaks, as a clause for a message; undefined when
 * there is none. Such a host may go to the app, but a certificate that has it among its names is not issued.
 */
export function refusedByCa(host: Host): string | undefined {
  const labels = host.replace(/^\*\./, '').split('.')
  if (labels.length > 10) {
    return `${displayHost(host)} has ${labels.length} labels; the certificate authority issues for 10 at most`
  }
  const reserved = labels.find((label) => label.startsWith('--', 2) && !label.startsWith('xn--'))
  if (reserved === undefined) return undefined
  return `${displayHost(host)}: the certificate authority refuses labels with "--" at the third place ("${reserved}")`
}

/** Names below these are for one network or for Tor, though the list of public suffixes has them (RFC 8375, RFC 7686). */
const SPECIAL_SUFFIXES = ['home.arpa', 'onion']

/**
 * The suffix of a valid host below which no certificate authority issues (`internal`, `local`, `con`, `home.arpa`), since it is not one of
 * the public DNS; undefined when there is none. It keeps only the host itself from a certificate.
 */
export function privateSuffix(host: Host): string | undefined {
  const special = SPECIAL_SUFFIXES.find((suffix) => host.endsWith(`.${suffix}`))
  if (special !== undefined || parse(host, REGISTRY).isIcann) return special
  return host.slice(host.lastIndexOf('.') + 1)
}

function suffixFault(name: string): ParsedHost | undefined {
  const base = name.startsWith('*.') ? name.slice(2) : name
  if (base.split('.', MAX_SUFFIX_LABELS + 1).length > MAX_SUFFIX_LABELS) return undefined
  // The registries' part only: the owner of a private suffix (`uk.com`) may well run a site under that very name.
  if (getPublicSuffix(base, REGISTRY) !== base) return undefined
  return {
    ok: false,
    message: `${spell(name)} is a public suffix: names are registered below it, it is not a site's own name`,
  }
}
