import { displayHost, type Host } from './host.ts'

/** The first `most` of some names, and how many more there are: `a.example, b.example and 3 more`. */
export function listNames(names: readonly string[], most: number, separator = ', '): string {
  const more = names.length > most ? ` and ${names.length - most} more` : ''
  return names.slice(0, most).join(separator) + more
}

/** The same of hosts, each as `displayHost` shows it. */
export function listHosts(hosts: readonly (Host | string)[], most: number): string {
  return listNames(hosts.map(displayHost), most)
}
