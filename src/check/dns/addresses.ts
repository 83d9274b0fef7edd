import { BlockList, isIP, isIPv4 } from 'node:net'
import { parseNetwork, unmapped } from '../../domain/network.ts'
import { wellKnownIpv4 } from './translation.ts'

/** Addresses and networks of both families. */
export interface AddressSet {
  /** Whether an address is one of these, alone or in a network. `::ffff:192.0.2.10` and `64:ff9b::192.0.2.10` are `192.0.2.10`. False for no address. */
  has(address: string): boolean
  /** Single addresses, as a record could name them: IPv4 and IPv6. Networks are left out. */
  readonly v4: readonly string[]
  readonly v6: readonly string[]
  readonly empty: boolean
}

/** The set of these addresses (`192.0.2.10`, `2001:db8::1`) and networks (`198.51.100.0/24`); other values are left out. Total. */
export function addressSet(values: readonly string[]): AddressSet {
  const list = new BlockList()
  const single = { v4: [] as string[], v6: [] as string[] }
  const networks = values.flatMap((value) => parseNetwork(value) ?? [])
  for (const { address, prefix, whole } of networks) {
    list.addSubnet(address, prefix, isIPv4(address) ? 'ipv4' : 'ipv6')
    if (whole) (isIPv4(address) ? single.v4 : single.v6).push(address)
  }
  return {
    ...single,
    empty: networks.length === 0,
    has(address) {
      const plain = unmapped(address)
      if (isIP(plain) === 0) return false
      if (isIPv4(plain)) return list.check(plain, 'ipv4')
      const translated = wellKnownIpv4(plain)
      return list.check(plain, 'ipv6') || (translated !== undefined && list.check(translated, 'ipv4'))
    },
  }
}
