import type { WwwRule } from '../../domain/host.ts'
import { MARKS } from './families.ts'
import { type PhpValue, readSerialized } from './php-serialized.ts'
import { settingName } from './setting-names.ts'

/** A row of `{p}sitemeta`, as text. */
export interface MetaRow {
  siteId: string
  key: string
  value: string | null
}

/** Key of `{p}sitemeta` with the settings of Ultimate Multisite. */
export const WWW_KEY = MARKS.ultimateSettings

const RULES: Readonly<Record<string, WwwRule>> = { always: 'Always', main_only: 'MainOnly', never: 'Never' }

/** The plugin's own, when nobody ever saved the setting. */
const PLUGIN_DEFAULT: WwwRule = 'Always'

/** The www rule by network. `standard`: for networks without settings of their own. */
export type GoodWww = { byNetwork: ReadonlyMap<string, WwwRule>; standard: WwwRule }

/**
 * The www rule of Ultimate Multisite, or what is wrong with the value. A value that cannot be read is never taken for the default: that would add a `www.` for
 * every mapping. The value itself is never repeated, as it holds keys of payment providers. `apart`: networks with a mapping table of
 * their own, which have settings of their own too, or the plugin's default.
 */
export function wwwSetting(
  meta: readonly MetaRow[],
  table: string,
  apart: readonly string[] = [],
): GoodWww | { broken: string } {
  const byNetwork = new Map<string, WwwRule>()
  for (const { siteId, value } of meta.filter((row) => row.key === WWW_KEY)) {
    const broken = (what: string) => ({
      broken: `${table}, "${WWW_KEY}" of network ${siteId}: ${what}; save the plugin's settings again, or set ${settingName('www')}`,
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
  const standard = byNetwork.values().next().value ?? PLUGIN_DEFAULT
  for (const network of apart) if (!byNetwork.has(network)) byNetwork.set(network, PLUGIN_DEFAULT)
  return { byNetwork, standard }
}

/** The entries of a PHP-serialised array; undefined when it is broken or no array. */
export function phpArray(value: string | null): ReadonlyMap<string, PhpValue> | undefined {
  const read = value === null ? undefined : readSerialized(value)
  return read instanceof Map ? read : undefined
}
