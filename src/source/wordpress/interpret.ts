import type { App } from '../../api/objects.ts'
import { type Compiled, compileRows, protectedNames } from './rows.ts'
import { type GoodWww, INTEGRATIONS_KEY, pluginWrites, wwwSetting } from './settings.ts'
import type { Snapshot } from './snapshot.ts'

/** What a snapshot says for an app. */
export interface Reading extends Compiled {
  protectedHosts: string[]
  secondWriter?: string
  /** Why this is not all, or not certain. */
  failure: string | undefined
  /** The www rule as it was last understood. */
  www: GoodWww | undefined
  /** In a line: what is there and how it was understood. */
  summary: string
}

/**
 * Makes mappings of a snapshot. Settings of the plugin that are broken are a failure: the rule of before stays in force, and without
 * one no `www.` is added, nor removed while it lasts. An app that says `www` itself needs no settings. Pure.
 */
export function interpret(app: App, snapshot: Snapshot, before: GoodWww | undefined): Reading {
  const { meta, names, family } = snapshot
  const ultimate = family === 'UltimateMultisite'
  const setting = ultimate && app.spec.www === undefined ? wwwSetting(meta, names.sitemeta) : undefined
  const broken = setting !== undefined && 'broken' in setting ? setting.broken : undefined
  const failure = noSuchNetwork(app, snapshot) ?? broken
  const www = setting === undefined || 'broken' in setting ? before : setting
  const wwwOf = (siteId: string) =>
    setting === undefined ? undefined : (www?.byNetwork.get(siteId) ?? www?.standard ?? 'Never')
  const { mappings, faults, unknownStages } = compileRows(app, snapshot, wwwOf)
  const writer = ultimate ? pluginWrites(meta) : 'off'
  const summary = summaryOf(snapshot, mappings.length, faults.length, app.spec.www ?? www?.standard, writer)
  if (writer === 'broken') {
    faults.push({
      place: `${names.sitemeta} ${INTEGRATIONS_KEY}`,
      message: 'the PHP-serialised value is broken: nobody can tell whether the plugin writes to ServerPilot itself.',
    })
  }
  const secondWriter = `The plugin's own ServerPilot integration is switched on (${INTEGRATIONS_KEY} in ${names.sitemeta}): it writes the same list of domains. Disable it in the network's admin: Ultimate Multisite, Settings, Integrations, ServerPilot.`
  return {
    mappings,
    summary,
    protectedHosts: protectedNames(snapshot.networks),
    faults,
    unknownStages,
    ...(writer === 'on' ? { secondWriter } : {}),
    failure,
    www,
  }
}

/** A network that is not there has no sites: that is a fault, and no empty list. */
function noSuchNetwork(app: App, { networks, names }: Snapshot): string | undefined {
  const network = app.spec.wordpress?.network
  if (network === undefined || networks.some(({ id }) => id === network)) return undefined
  const ids = networks.map(({ id }) => id).join(', ')
  return `there is no network ${network} in ${names.site} (there are ${ids}): check spec.wordpress.network`
}

function summaryOf(
  { family, table, mappings: rows, sites, networks }: Snapshot,
  mappings: number,
  faults: number,
  www: string | undefined,
  writer: string,
): string {
  const where = table === undefined ? 'no mapping table' : `${rows.length} row(s) in ${table}`
  const rule = www === undefined ? '' : `; www ${www}`
  const plugin = writer === 'on' ? '; the plugin writes to ServerPilot itself too' : ''
  return `${family}: ${where}, ${sites.length} site(s) of ${networks.length} network(s): ${mappings} mapping(s), ${faults} row(s) that mean nothing${rule}${plugin}`
}
