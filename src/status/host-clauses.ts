import { groupBy } from '../domain/group-by.ts'
import { displayHost } from '../domain/host.ts'
import { listHosts } from '../domain/list-names.ts'

/** So many hosts are named in each clause. */
const NAMED = 10

/**
 * What is said of hosts, a clause per message, in the order in which the messages come: `a.example, b.example: MESSAGE`.
 * Many messages begin with the name of their host: it is said once. `lacking`: what the hosts have not got (`No certificate`).
 */
export function hostClauses(said: Iterable<readonly [host: string, message: string]>, lacking?: string): string[] {
  return [...groupBy(said, ([, message]) => message)].map(([message, pairs]) => {
    const hosts = pairs.map(([host]) => host)
    const [first = ''] = hosts
    if (hosts.length === 1 && message.startsWith(displayHost(first)))
      return lacking === undefined ? message : `${lacking}: ${message}`
    return `${lacking === undefined ? '' : `${lacking} for `}${listHosts(hosts, NAMED)}: ${message}`
  })
}
