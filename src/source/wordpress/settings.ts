import type { WwwRule } from '../../domain/host.ts'
import { MARKS } from './families.ts'
import { type PhpValue, readSerialized } from './php-serialized.ts'

/** A row of `{p}sitemeta`, as text. */
export interface MetaRow {
  siteId: string
  key: string
  value: string | null
}

/** Keys of `{p}sitemeta` that say something beside which plugin is there. */
export const WWW_KEY = MARKS.ultimateSettings
export const INTEGRATIONS_KEY = 'wu_host_integrations_enabled'

const RULES: Readonly<Record<string, WwwRule>> = { always: 'Always', main_only: 'MainOnly', never: 'Never' }

/** The plugin's own, when nobody ever saved the setting. */
const PLUGIN_DEFAULT: WwwRule = 'Always'

/** The www rule by network. `standard`: for networks without settings of their own. */
export type GoodWww = { byNetwork: ReadonlyMap<string, WwwRule>; standard: WwwRule }

/**
 * The www rule of Ultimate Multisite, or what is wrong with the value. A value that cannot be read is never taken for the default: that would add a `www.` for
 * every mapping. The value itself is never repeated, as it holds keys of payment providers.
 */
export function wwwSetting(meta: readonly MetaRow[], table: string): GoodWww | { broken: string } {
  const byNetwork = new Map<string, WwwRule>()
  for (const { siteId, value } of meta.filter((row) => row.key === WWW_KEY)) {
    const broken = (what: string) => ({
      broken: `${table}, "${WWW_KEY}" of network ${siteId}: ${what}; save the plugin's settings again, or set spec.www of the app`,
    })
    const settings = phpArray(value)
    if (settings === undefined) return broken('the PHP-serialised value is broken')
    const said = settings.get('auto_create_www_subdomain')
    const rule =
      said === undefined || said === null ? PLUGIN_DEFAULT : typeof said === 'string' ? RULES[said] : undefined
    if (rule === undefined) return broken('auto_create_www_subdomain is not one of always, main_only, never')
    byNetwork.set(siteId, rule)
  }
  // The plugin runs on the network that it was set up on, the first as a rule, and serves the others from there.
  return { byNetwork, standard: byNetwork.values().next().value ?? PLUGIN_DEFAULT }
}

/** What the plugin's own integration with ServerPilot says: on, off, or a value that cannot be read. */
export function pluginWrites(meta: readonly MetaRow[]): 'on' | 'off' | 'broken' {
  const lists = meta.filter((row) => row.key === INTEGRATIONS_KEY).map((row) => phpArray(row.value))
  if (lists.some((list) => isTrue(list?.get('serverpilot')))) return 'on'
  return lists.includes(undefined) ? 'broken' : 'off'
}

/** PHP's own idea of what is empty. */
const isTrue = (value: unknown): boolean => ![undefined, null, false, '', '0', 0].includes(value as undefined)

/** The entries of a PHP-serialised array; undefined when it is broken or no array. */
function phpArray(value: string | null): ReadonlyMap<string, PhpValue> | undefined {
  const read = value === null ? undefined : readSerialized(value)
  return read instanceof Map ? read : undefined
}
