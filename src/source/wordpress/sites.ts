import { compareKey } from '../../domain/host.ts'

/** A row of `{p}site`: a network. */
export interface NetworkRow {
  id: string
  domain: string | null
}

/** A row of `{p}blogs`: a site. All as text: `archived` is an ENUM in old networks. */
export interface SiteRow {
  blogId: string
  siteId: string
  domain: string | null
  registered: string | null
  archived: string | null
  spam: string | null
  deleted: string | null
}

/** Whether the site is to be reached: not archived, spam or deleted. */
export function isServed(site: SiteRow): boolean {
  return [site.archived, site.spam, site.deleted].every((flag) => flag === null || flag === '' || /^0+$/.test(flag))
}

/** The networks' own names, canonical, each with its `www.`: they are never removed. */
export function protectedNames(networks: readonly NetworkRow[]): string[] {
  const names = new Set<string>()
  for (const name of networkNames(networks)) {
    names.add(name)
    names.add(`www.${name}`)
  }
  return [...names]
}

/** Tells whether a canonical name is a network's own or below one. */
export function insideNetworks(networks: readonly NetworkRow[]): (name: string) => boolean {
  const names = new Set(networkNames(networks))
  return (name) => {
    for (let rest = name; rest !== ''; rest = rest.slice(rest.indexOf('.') + 1)) {
      if (names.has(rest)) return true
      if (!rest.includes('.')) return false
    }
    return false
  }
}

/** The name of a `domain` column for comparing, without the port that networks on test machines have. */
const hostKey = (domain: string): string => compareKey(domain.trim().replace(/:\d+$/, ''))

function networkNames(networks: readonly NetworkRow[]): string[] {
  return networks.map(({ domain }) => hostKey(domain ?? '').replace(/^www\./, '')).filter((name) => name !== '')
}
