/** Settings of a database by the last part of their names: in an object, and as the flag of those who have no object. */
const SETTINGS = {
  mappings: ['spec.wordpress.mappings', '--wordpress-mappings'],
  tablePrefix: ['spec.wordpress.tablePrefix', '--wordpress-table-prefix'],
  network: ['spec.wordpress.network', '--wordpress-network'],
  www: ['spec.www', '--wordpress-www'],
} as const

/** How messages name a setting, so that whoever reads them can follow: with a wp-config.php alone, or with an object. */
export function settingName(setting: keyof typeof SETTINGS): string {
  const [field, flag] = SETTINGS[setting]
  return `${flag} or, in an object, ${field}`
}
