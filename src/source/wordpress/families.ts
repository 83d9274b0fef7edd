/** Which plugin wrote the mapping table; `Core`: none, the sites themselves are all there is. */
export type Family = 'UltimateMultisite' | 'Mercator' | 'MuDomainMapping' | 'WpmuDev' | 'DarkMatter' | 'Core'

/** `spec.wordpress.mappings`. */
export type MappingsSetting = 'Auto' | 'UltimateMultisite' | 'DomainMapping' | 'Core'

/** The tables of a network under `$table_prefix`, by what they are for. */
export const tableNames = (prefix: string) => ({
  site: `${prefix}site`,
  sitemeta: `${prefix}sitemeta`,
  blogs: `${prefix}blogs`,
  ultimate: `${prefix}wu_domain_mappings`,
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

/** What was found in a database. */
export interface Findings {
  names: TableNames
  /** Columns; undefined: there is no such table, or it was not looked for. */
  ultimate: readonly string[] | undefined
  domainMapping: readonly string[] | undefined
  logins: boolean
  /** Keys of `{p}sitemeta` that are there. */
  marks: ReadonlySet<string>
}

/** The family with its table, or why that is not certain: a message that names the setting which decides. */
type Choice = { family: Family; table?: string } | { undecided: string }

const SETTING = 'spec.wordpress.mappings'

/** Which rows count when nothing else tells the owners of `{p}domain_mapping` apart. */
export function chooseFamily(setting: MappingsSetting, found: Findings): Choice {
  switch (setting) {
    case 'Core':
      return { family: 'Core' }
    case 'UltimateMultisite':
      return found.ultimate === undefined ? missing(found.names.ultimate, setting) : ultimate(found)
    case 'DomainMapping':
      return found.domainMapping === undefined ? missing(found.names.domainMapping, setting) : named(found)
    case 'Auto':
      return auto(found)
  }
}

function auto(found: Findings): Choice {
  const { names, marks } = found
  if (found.ultimate !== undefined && found.domainMapping !== undefined) {
    return {
      undecided: `there are both ${names.ultimate} and ${names.domainMapping}: set ${SETTING} to UltimateMultisite or to DomainMapping, whichever is in use`,
    }
  }
  if (found.ultimate !== undefined) return ultimate(found)
  const leftover = marks.has(MARKS.ultimate) || marks.has(MARKS.ultimateSettings)
  if (leftover) return gone('Ultimate Multisite', names.ultimate, names)
  if (found.domainMapping !== undefined) return apart(found) ?? undecidable(found)
  if (marks.has(MARKS.mercator)) return gone('Mercator', names.domainMapping, names)
  if (marks.has(MARKS.muDomainMapping) || found.logins)
    return gone('WordPress MU Domain Mapping', names.domainMapping, names)
  if (marks.has(MARKS.darkMatter)) return gone('Dark Matter', names.domainMapping, names)
  return { family: 'Core' }
}

const ultimate = ({ names, ultimate: columns = [] }: Findings): Choice =>
  lacking(names.ultimate, columns) ?? { family: 'UltimateMultisite', table: names.ultimate }

/** With `DomainMapping` set, what cannot be decided is read as the plugin of that name does: every row counts. */
const named = (found: Findings): Choice =>
  apart(found) ?? { family: 'MuDomainMapping', table: found.names.domainMapping }

/** Columns first: they are the table's own, while marks outlive their plugin. */
function apart({ names, domainMapping: columns = [], logins, marks }: Findings): Choice | undefined {
  const table = names.domainMapping
  const fault = lacking(table, columns)
  if (fault !== undefined) return fault
  if (columns.includes('is_https')) return { family: 'DarkMatter', table }
  if (columns.includes('scheme') || columns.includes('is_primary')) return { family: 'WpmuDev', table }
  const mercator = marks.has(MARKS.mercator)
  const mu = logins || marks.has(MARKS.muDomainMapping)
  if (mercator === mu) return undefined
  return { family: mercator ? 'Mercator' : 'MuDomainMapping', table }
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
  undecided: `there is no table ${table}, which ${SETTING} ${setting} asks for: check spec.wordpress.tablePrefix, and whether it was renamed or dropped`,
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
