import type { Plugin } from './families.ts'
import { type MetaRow, phpArray } from './settings.ts'

/** Key of `{p}sitemeta` with the plugins that are on for a network as a whole, by their files. */
export const ACTIVE_KEY = 'active_sitewide_plugins'

/** Key of `{p}sitemeta` with the integrations of Ultimate Multisite that are switched on. */
export const INTEGRATIONS_KEY = 'wu_host_integrations_enabled'

/** Since 2.5 Ultimate Multisite may keep its credentials here, encrypted, one key each; before, and first, in wp-config.php. */
const STORED = 'wu_hosting_credential_WU_SERVER_PILOT_'
const NEEDED = ['CLIENT_ID', 'API_KEY', 'APP_ID']
export const CREDENTIAL_KEYS: readonly string[] = NEEDED.map((name) => `${STORED}${name}`)

/** Files of plugins that map domains, without their folder: that may have any name. */
const FILES: Readonly<Record<Plugin, readonly string[]>> = {
  UltimateMultisite: ['ultimate-multisite.php', 'multisite-ultimate.php'],
  WpUltimo: ['wp-ultimo.php'],
  Mercator: ['mercator.php'],
  MuDomainMapping: ['domain_mapping.php'],
  WpmuDev: ['domain-mapping.php'],
  DarkMatter: ['dark-matter.php'],
}

/** The plugins that map domains and are on, for any network or for one; undefined where the database does not say. */
export function activePlugins(meta: readonly MetaRow[], network?: string): ReadonlySet<Plugin> | undefined {
  const rows = meta.filter(({ key, siteId }) => key === ACTIVE_KEY && (network === undefined || siteId === network))
  const lists = rows.map(({ value }) => phpArray(value))
  if (lists.length === 0 || lists.includes(undefined)) return undefined
  const files = new Set(lists.flatMap((list) => [...(list?.keys() ?? [])]).map((path) => path.replace(/^.*\//, '')))
  const plugins = Object.keys(FILES) as Plugin[]
  return new Set(plugins.filter((plugin) => FILES[plugin].some((file) => files.has(file))))
}

/** What the plugin's own integration with ServerPilot does. `stored`: with credentials that stand in the database, encrypted. */
export type OwnWriter = { state: 'on'; stored: boolean } | { state: 'off' | 'broken' }

/**
 * Whether Ultimate Multisite writes to ServerPilot itself: on any network where it is active, its integration is switched on, and
 * it has credentials. `defined`: which of those wp-config.php defines, as `CLIENT_ID` and the like; undefined: not known, so all may be.
 */
export function ownWriter(meta: readonly MetaRow[], defined?: readonly string[]): OwnWriter {
  let broken = false
  for (const { siteId, value } of meta.filter(({ key }) => key === INTEGRATIONS_KEY)) {
    const list = phpArray(value)
    if (!runs(meta, siteId)) continue
    const stored = NEEDED.filter((name) => meta.some((row) => row.siteId === siteId && isStored(row, name)))
    const ready = defined === undefined || NEEDED.every((name) => defined.includes(name) || stored.includes(name))
    if (list === undefined) broken ||= ready
    else if (isTrue(list.get('serverpilot')) && ready) return { state: 'on', stored: stored.length === NEEDED.length }
  }
  return { state: broken ? 'broken' : 'off' }
}

const isStored = ({ key, value }: MetaRow, name: string): boolean => key === `${STORED}${name}` && isTrue(value)

/** Whether Ultimate Multisite is active on a network, as far as is known. */
function runs(meta: readonly MetaRow[], network: string): boolean {
  const active = activePlugins(meta, network)
  return active === undefined || active.has('UltimateMultisite') || active.has('WpUltimo')
}

/** PHP's own idea of what is empty. */
const isTrue = (value: unknown): boolean => ![undefined, null, false, '', '0', 0].includes(value as undefined)
