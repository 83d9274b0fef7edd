import type { App } from '../../api/objects.ts'
import { INTEGRATIONS_KEY, type OwnWriter, ownWriter } from './plugins.ts'
import { type Compiled, compileRows, protectedNames } from './rows.ts'
import { settingName } from './setting-names.ts'
import { type GoodWww, wwwSetting } from './settings.ts'
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
 * one no `www.` is added, nor removed while it lasts. An app that says `www` itself needs no settings. `defined`: which credentials of
 * the plugin wp-config.php defines or may define, where that is known. Pure.
 */
export function interpret(
  app: App,
  snapshot: Snapshot,
  before: GoodWww | undefined,
  defined?: readonly string[],
): Reading {
  const { meta, names, family } = snapshot
  const ultimate = family === 'UltimateMultisite'
  const setting =
    ultimate && app.spec.www === undefined ? wwwSetting(meta, names.sitemeta, networksApart(snapshot)) : undefined
  const broken = setting !== undefined && 'broken' in setting ? setting.broken : undefined
  const failure = noSuchNetwork(app, snapshot) ?? broken
  const www = setting === undefined || 'broken' in setting ? before : setting
  const wwwOf = (siteId: string) =>
    setting === undefined ? undefined : (www?.byNetwork.get(siteId) ?? www?.standard ?? 'Never')
  const compiled = compileRows(app, snapshot, wwwOf)
  const writer: OwnWriter = ultimate ? ownWriter(meta, defined) : { state: 'off' }
  const unclear = writer.state === 'broken' ? [unclearWriter(names.sitemeta)] : []
  return {
    ...compiled,
    faults: [...compiled.faults, ...unclear],
    summary: summaryOf(snapshot, compiled, app.spec.www ?? www?.standard, writer),
    protectedHosts: protectedNames(snapshot.networks),
    ...(writer.state === 'on' ? { secondWriter: writerWords(writer, names.sitemeta) } : {}),
    failure,
    www,
  }
}

/** The networks that have a mapping table of their own. */
const networksApart = ({ networks, names, largest }: Snapshot): string[] =>
  networks.map(({ id }) => id).filter((id) => largest.has(names.ultimateOf(id)))

const unclearWriter = (sitemeta: string) => ({
  place: `${sitemeta} ${INTEGRATIONS_KEY}`,
  message: 'the PHP-serialised value is broken: nobody can tell whether the plugin writes to ServerPilot itself.',
})

function writerWords({ stored }: { stored: boolean }, sitemeta: string): string {
  const credentials = stored ? ` with credentials that stand encrypted in ${sitemeta}` : ''
  return `The plugin's own ServerPilot integration is switched on (${INTEGRATIONS_KEY} in ${sitemeta})${credentials}: it writes the same list of domains. Disable it in the network's admin: Ultimate Multisite, Settings, Integrations, ServerPilot.`
}

/** A network that is not there has no sites: that is a fault, and no empty list. */
function noSuchNetwork(app: App, { networks, names }: Snapshot): string | undefined {
  const network = app.spec.wordpress?.network
  if (network === undefined || networks.some(({ id }) => id === network)) return undefined
  const ids = networks.map(({ id }) => id).join(', ')
  return `there is no network ${network} in ${names.site} (there are ${ids}): check ${settingName('network')}`
}

function summaryOf(
  { family, table, mappings: rows, sites, networks }: Snapshot,
  { mappings, holes }: Compiled,
  www: string | undefined,
  writer: OwnWriter,
): string {
  const tables = [...new Set(rows.map((row) => row.table))].join(', ')
  const where = table === undefined ? 'no mapping table' : `${rows.length} row(s) in ${tables || table}`
  const rule = www === undefined ? '' : `; www ${www}`
  const plugin = writer.state === 'on' ? '; the plugin writes to ServerPilot itself too' : ''
  return `${family}: ${where}, ${sites.length} site(s) of ${networks.length} network(s): ${mappings.length} mapping(s), ${holes} row(s) that mean nothing${rule}${plugin}`
}
