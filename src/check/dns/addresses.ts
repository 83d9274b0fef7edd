import { BlockList, isIP, isIPv4 } from 'node:net'
import { parseNetwork, unmapped } from '../../domain/network.ts'

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
interface AddressFault {
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
