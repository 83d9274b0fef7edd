import { isIP, isIPv4, SocketAddress } from 'node:net'

/** An address, or a network of them. */
interface Network {
  address: string
  prefix: number
  /** One address, no network. */
  whole: boolean
}

/** Reads `192.0.2.10`, `2001:db8::1`, `198.51.100.0/24`; undefined for what is neither an address nor a network. Total. */
export function parseNetwork(value: string): Network | undefined {
  const [written = '', prefixText, ...more] = value.split('/')
  if (isIP(written) === 0 || written.includes('%') || more.length > 0) return undefined
  const address = unmapped(written)
  const most = isIPv4(address) ? 32 : 128
  if (prefixText === undefined) return { address, prefix: most, whole: true }
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefixText)) return undefined
  // A network of v4-mapped addresses counts its prefix from the front of the IPv6 form.
  const prefix = Number(prefixText) - (address !== written && isIPv4(address) ? 96 : 0)
  if (prefix < 0 || prefix > most) return undefined
  return { address, prefix, whole: prefix === most }
}

/** IPv4 for an address in its v4-mapped form (`::ffff:192.0.2.1`, `::ffff:c000:201`); any other as it is. */
export function unmapped(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address
  const normal = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(normal)
  return mapped?.[1] ?? normal
}

/**
 * Whether the `Host` of a request cannot be the name of somebody's web site that was made to lead here: an address cannot be rebound,
 * `localhost` belongs to this machine, and no Host at all comes from no browser. `allowed`: names that are ours, in lower-case ASCII.
 */
export function isSafeHost(header: string | undefined, allowed: readonly string[] = []): boolean {
  if (header === undefined || header === '') return true
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0 || allowed.includes(name)
}
