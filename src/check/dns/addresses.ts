import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

/** Addresses and networks of both families. */
export interface AddressSet {
  /** Whether an address is one of these, alone or in a network. `::ffff:192.0.2.10` is `192.0.2.10`. False for no address. */
  has(address: string): boolean
  /** Single addresses, as a record could name them: IPv4 and IPv6. Networks are left out. */
  readonly v4: readonly string[]
  readonly v6: readonly string[]
  readonly empty: boolean
}

/** A value that is neither address nor network; `index` is its place in the list that was given. */
export interface AddressFault {
  index: number
  message: string
}

/**
 * Reads addresses (`192.0.2.10`, `2001:db8::1`) and networks (`198.51.100.0/24`). Values with a fault are left out of the set
 * and named one by one. Total: never throws.
 */
export function addressSet(values: readonly string[]): { set: AddressSet; faults: AddressFault[] } {
  const list = new BlockList()
  const single = { v4: [] as string[], v6: [] as string[] }
  const faults: AddressFault[] = []
  for (const [index, value] of values.entries()) {
    const network = parseNetwork(value)
    if (network === undefined) {
      const message = `${JSON.stringify(value.slice(0, 100))} is neither an IP address nor a network such as 198.51.100.0/24`
      faults.push({ index, message })
      continue
    }
    const { address, prefix, whole } = network
    list.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6')
    if (whole) (isIPv4(address) ? single.v4 : single.v6).push(address)
  }
  const set: AddressSet = {
    ...single,
    empty: values.length === faults.length,
    has(address) {
      const plain = unmapped(address)
      return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
    },
  }
  return { set, faults }
}

interface Network {
  address: string
  prefix: number
  /** One address, no network. */
  whole: boolean
}

function parseNetwork(value: string): Network | undefined {
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
function unmapped(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address
  const normal = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(normal)
  return mapped?.[1] ?? normal
}
