import { BlockList, isIP } from 'node:net'

/**
 * Checks the address of the API and gives it without a final slash. Throws an `Error` for the reader when it is not a URL, neither
 * https nor http, carries credentials, a query or a fragment, or is plain http to anything but this host while `allowInsecure` is off:
 * the API key would travel in the clear.
 */
export function checkBaseUrl(url: string | URL, allowInsecure = false): URL {
  // The text itself is not shown while it could hold a password.
  if (!URL.canParse(String(url)))
    throw new Error('--serverpilot-url is not a URL, such as https://api.serverpilot.io/v1')
  const parsed = new URL(url)
  if (parsed.username || parsed.password) {
    throw new Error(
      '--serverpilot-url holds a user or password: take them out, credentials are configured apart from it',
    )
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw new Error(`--serverpilot-url must start with https://, not with ${parsed.protocol}`)
  }
  if (parsed.search || parsed.hash) throw new Error('--serverpilot-url must end with its path: no "?", no "#"')
  if (parsed.protocol === 'http:' && !allowInsecure && !isLoopback(parsed.hostname)) {
    throw new Error(
      `--serverpilot-url is plain http to ${parsed.host}: the API key would travel in the clear. Use https://, or for a simulator in your own network --allow-insecure-http`,
    )
  }
  parsed.pathname = parsed.pathname.replace(/\/+$/, '')
  return parsed
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  const named = host === 'localhost' || host.endsWith('.localhost')
  return named || inNetwork('127.0.0.0/8', host) || inNetwork('::1/128', host)
}

/** The standard proxy variables. `HTTP_PROXY` is not among them, as it would see the API key: plain http goes direct. */
export interface ProxySettings {
  /** `HTTPS_PROXY`: for https targets, by CONNECT. */
  httpsProxy?: string | undefined
  /** `NO_PROXY`: host names, suffixes, addresses and networks that are reached directly. */
  noProxy?: string | undefined
}

/**
 * The proxy for a target, or undefined when it is reached directly. Throws an `Error` for the reader when the proxy's address cannot be
 * used; the message never shows a password.
 */
export function chooseProxy(target: URL, settings: ProxySettings): URL | undefined {
  const address = settings.httpsProxy?.trim()
  if (!address || target.protocol !== 'https:' || bypasses(target, settings.noProxy ?? '')) return undefined
  // `proxy:3128` without a scheme is common, and means http.
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`
  if (!URL.canParse(url)) throw new Error('HTTPS_PROXY is not an address such as http://proxy.example:3128')
  const proxy = new URL(url)
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new Error(`HTTPS_PROXY starts with ${proxy.protocol}//: only http:// and https:// proxies are supported`)
  }
  try {
    decodeURIComponent(proxy.username + proxy.password)
  } catch {
    throw new Error(
      `HTTPS_PROXY (${proxyName(proxy)}): user or password has a "%" that is not followed by two hex digits`,
    )
  }
  return proxy
}

/** A proxy's address without user and password. */
export function proxyName(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`
}

/**
 * Whether `noProxy` (`NO_PROXY`) lists the target. Entries are separated by commas or blanks: `*` everything; `example.com` the
 * name and everything below it; `.svc` or `*.svc` only what is below it; an address; a network such as `10.0.0.0/8`; all but the
 * last with an optional `:port`. The rules are those of Go's httpproxy and curl; names are never looked up.
 */
export function bypasses(target: URL, noProxy: string): boolean {
  const host = plainHost(target.hostname)
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entryMatches(entry.toLowerCase(), host, port))
}

function entryMatches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return inNetwork(entry, host)
  const withPort = /^(.+):(\d+)$/.exec(entry)
  // Colons alone do not make a port: `::1` is an address.
  if (withPort?.[1] && withPort[2] && isIP(entry) === 0) {
    return Number(withPort[2]) === Number(port) && nameMatches(plainHost(withPort[1]), host)
  }
  return nameMatches(plainHost(entry), host)
}

function nameMatches(name: string, host: string): boolean {
  if (isIP(name) !== 0) return inNetwork(`${name}/${isIP(name) === 6 ? 128 : 32}`, host)
  if (isIP(host) !== 0) return false
  const suffix = name.replace(/^\*\./, '.')
  if (suffix.startsWith('.')) return suffix.length > 1 && host.endsWith(suffix) && host.length > suffix.length
  return host === suffix || host.endsWith(`.${suffix}`)
}

function inNetwork(network: string, host: string): boolean {
  const [address = '', prefix = ''] = network.split('/')
  const plain = plainHost(address)
  const family = isIP(plain)
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (family === 0 || !(bits <= (family === 6 ? 128 : 32)) || isIP(host) === 0) return false
  const block = new BlockList()
  block.addSubnet(plain, bits, family === 6 ? 'ipv6' : 'ipv4')
  return block.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}
