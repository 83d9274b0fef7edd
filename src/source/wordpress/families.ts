import { settingName } from './setting-names.ts'

/** Which plugin wrote the mapping table; `Core`: none, the sites themselves are all there is. */
export type Family = 'UltimateMultisite' | 'Mercator' | 'MuDomainMapping' | 'WpmuDev' | 'DarkMatter' | 'Core'

/** A plugin that maps domains, by the file that WordPress names when it is on. WP Ultimo 1.x and its 2.x have the same. */
export type Plugin = Exclude<Family, 'Core'> | 'WpUltimo'

/** `spec.wordpress.mappings`. */
export type MappingsSetting = 'Auto' | 'UltimateMultisite' | 'DomainMapping' | 'Core'

/** The tables of a network under `$table_prefix`, by what they are for. */
export const tableNames = (prefix: string) => ({
  site: `${prefix}site`,
  sitemeta: `${prefix}sitemeta`,
  blogs: `${prefix}blogs`,
  ultimate: `${prefix}wu_domain_mappings`,
  /** Since 2.4.8 Ultimate Multisite has a table for each network but the main one. */
  ultimateOf: (network: string) => `${prefix}wu_${network}_domain_mappings`,
  domainMapping: `${prefix}domain_mapping`,
  logins: `${prefix}domain_mapping_logins`,
})

export type TableNames = ReturnType<typeof tableNames>

/** Keys of `{p}sitemeta` by which plugins leave their mark. */
export const MARKS = {
  ultimate: 'wu_setup_finished',
  ultimateSettings: 'wp-ultimo_v2_settings',
  mercator: 'mercator.db.version',
  muDomainMapping: 'dm_hash',
  darkMatter: 'dark_matter_db_version',
} as const

/** A mapping table of one network, with its columns. */
export interface NetworkTable {
  network: string
  table: string
  columns: readonly string[]
}

/** What was found in a database. */
export interface Findings {
  names: TableNames
  /** Columns; undefined: there is no such table, or it was not looked for. */
  ultimate: readonly string[] | undefined
  domainMapping: readonly string[] | undefined
  /** Tables of Ultimate Multisite for single networks. */
  apart: readonly NetworkTable[]
  logins: boolean
  /** Keys of `{p}sitemeta` that are there. */
  marks: ReadonlySet<string>
  /** Networks on which Ultimate Multisite was set up. */
  setUp: ReadonlySet<string>
  /** Plugins that are on; undefined: not known. */
  active: ReadonlySet<Plugin> | undefined
  /** Every row of `domainMapping` stands in `ultimate` too; undefined: not looked for. */
  copied?: boolean
}

/** The family with its table, or why that is not certain: a message that names the setting which decides. */
type Choice = { family: Family; table?: string } | { undecided: string }

const SETTING = settingName('mappings')

/** Which rows count when nothing else tells the owners of `{p}domain_mapping` apart. */
export function chooseFamily(setting: MappingsSetting, found: Findings): Choice {
  switch (setting) {
    case 'Core':
      return { family: 'Core' }
    case 'UltimateMultisite':
      return hasUltimate(found) ? ultimate(found) : missing(found.names.ultimate, setting)
    case 'DomainMapping':
      return found.domainMapping === undefined ? missing(found.names.domainMapping, setting) : named(found)
    case 'Auto':
      return auto(found)
  }
}

function auto(found: Findings): Choice {
  const { names, marks } = found
  if (hasUltimate(found) && found.domainMapping !== undefined) return eitherOf(found)
  if (hasUltimate(found)) return ultimate(found)
  if (marks.has(MARKS.ultimate) || marks.has(MARKS.ultimateSettings))
    return gone('Ultimate Multisite', names.ultimate, names)
  if (found.domainMapping !== undefined) return apart(found) ?? undecidable(found)
  if (marks.has(MARKS.mercator)) return gone('Mercator', names.domainMapping, names)
  if (marks.has(MARKS.muDomainMapping) || found.logins)
    return gone('WordPress MU Domain Mapping', names.domainMapping, names)
  if (marks.has(MARKS.darkMatter)) return gone('Dark Matter', names.domainMapping, names)
  return { family: 'Core' }
}

const hasUltimate = ({ ultimate, apart }: Findings): boolean => ultimate !== undefined || apart.length > 0

/** Both tables are there: the plugin that is on decides; else the older one counts no more once all of its rows are in the newer one. */
function eitherOf(found: Findings): Choice {
  const { names, copied } = found
  const running = runningOf(found)
  if (running === 'DomainMapping') return apart(found) ?? undecidable(found)
  if (running === 'UltimateMultisite' || copied) return ultimate(found)
  return {
    undecided: `there are both ${names.ultimate} and ${names.domainMapping}, rows of the second are not in the first, and ${names.sitemeta} does not say which plugin is on: set ${SETTING} to UltimateMultisite or to DomainMapping, whichever is in use, or drop the table that is not`,
  }
}

/** Whose table is in use, as far as the plugins that are on tell; undefined when they do not. */
export function runningOf({ active, marks }: Findings): 'UltimateMultisite' | 'DomainMapping' | undefined {
  if (active === undefined) return undefined
  // The file of WP Ultimo 1.x has the name of 2.x: only 2.x has a wizard that was finished.
  const ultimate = active.has('UltimateMultisite') || (active.has('WpUltimo') && marks.has(MARKS.ultimate))
  const other = (['Mercator', 'MuDomainMapping', 'WpmuDev', 'DarkMatter'] as const).some((each) => active.has(each))
  if (ultimate === other) return undefined
  return ultimate ? 'UltimateMultisite' : 'DomainMapping'
}

function ultimate({ names, ultimate: columns, apart, setUp }: Findings): Choice {
  const tables = [...(columns === undefined ? [] : [{ table: names.ultimate, columns }]), ...apart]
  const networks = new Set(apart.map(({ network }) => network))
  // A network without a table of its own has its rows in the main one.
  const homeless = [...setUp].some((network) => !networks.has(network))
  if (columns === undefined && homeless) return gone('Ultimate Multisite', names.ultimate, names)
  for (const each of tables) {
    const fault = lacking(each.table, each.columns)
    if (fault !== undefined) return fault
  }
  return { family: 'UltimateMultisite', table: tables[0]?.table as string }
}

/** With `DomainMapping` set, what cannot be decided is read as the plugin of that name does: every row counts. */
const named = (found: Findings): Choice =>
  apart(found) ?? { family: 'MuDomainMapping', table: found.names.domainMapping }

/** Columns first: they are the table's own, while marks outlive their plugin. */
function apart(found: Findings): Choice | undefined {
  const { names, domainMapping: columns = [] } = found
  const table = names.domainMapping
  const fault = lacking(table, columns)
  if (fault !== undefined) return fault
  if (columns.includes('is_https')) return { family: 'DarkMatter', table }
  if (columns.includes('scheme') || columns.includes('is_primary')) return { family: 'WpmuDev', table }
  const family = marked(found) ?? running(found)
  return family && { family, table }
}

/** Of two plugins with one table, that which left its mark. */
function marked({ marks, logins }: Findings): Family | undefined {
  const mercator = marks.has(MARKS.mercator)
  if (mercator === (logins || marks.has(MARKS.muDomainMapping))) return undefined
  return mercator ? 'Mercator' : 'MuDomainMapping'
}

/** Of two plugins with one table, that which is on. */
function running({ active }: Findings): Family | undefined {
  const [mercator, mu] = [active?.has('Mercator') === true, active?.has('MuDomainMapping') === true]
  if (mercator === mu) return undefined
  return mercator ? 'Mercator' : 'MuDomainMapping'
}

function undecidable({ names, marks, logins }: Findings): Choice {
  const mu = [
    ...(logins ? [`table ${names.logins}`] : []),
    ...(marks.has(MARKS.muDomainMapping) ? [`"${MARKS.muDomainMapping}" in ${names.sitemeta}`] : []),
  ].join(' and ')
  const [why, cure] =
    mu === ''
      ? ['nothing in the database says which plugin', `open its settings once so that it writes "${MARKS.mercator}"`]
      : [
          `"${MARKS.mercator}" in ${names.sitemeta} says Mercator, ${mu} says WordPress MU Domain Mapping`,
          `remove ${mu}`,
        ]
  return {
    undecided: `${names.domainMapping} is the table of several plugins, and ${why}: set ${SETTING} to DomainMapping to take every row, as WordPress MU Domain Mapping does, or to Core to take none; with Mercator, ${cure}`,
  }
}

const missing = (table: string, setting: MappingsSetting): Choice => ({
  undecided: `there is no table ${table}, and ${SETTING} is ${setting}: check ${settingName('tablePrefix')}, and whether the table was renamed or dropped`,
})

const gone = (plugin: string, table: string, { sitemeta }: TableNames): Choice => ({
  undecided: `${sitemeta} says that ${plugin} was set up, but there is no table ${table}: bring it back, or set ${SETTING} to Core if the plugin is gone for good`,
})

function lacking(table: string, columns: readonly string[]): Choice | undefined {
  const absent = ['id', 'blog_id', 'domain', 'active'].filter((column) => !columns.includes(column))
  if (absent.length === 0) return undefined
  return {
    undecided: `table ${table} has no column ${absent.join(', ')}: it is not finished, or not a plugin's; set ${SETTING} to what is in use`,
  }
}
