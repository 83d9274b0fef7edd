import { inNetwork } from './proxy.ts'

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
