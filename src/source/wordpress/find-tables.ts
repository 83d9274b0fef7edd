import { compareKey } from '../../domain/host.ts'
import { type Database, quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'
import {
  chooseFamily,
  type Family,
  type Findings,
  MARKS,
  type MappingsSetting,
  type NetworkTable,
  runningOf,
  type TableNames,
} from './families.ts'
import { activePlugins } from './plugins.ts'
import type { NetworkRow } from './rows.ts'
import type { MetaRow } from './settings.ts'

/** A mapping table with its columns. */
export type MappingTable = Pick<NetworkTable, 'table' | 'columns'>

/** The tables whose rows are mappings, and those that are looked at because they decide which. */
interface Tables {
  family: Family
  tables: readonly MappingTable[]
  older: readonly MappingTable[]
}

/** What is read before it is known which mapping table counts. */
interface Known {
  names: TableNames
  meta: readonly MetaRow[]
  networks: readonly NetworkRow[]
}

/** Tables that are looked for under a setting. Only those that matter: a user may have no right to the others. */
export function candidatesOf(
  setting: MappingsSetting,
  { ultimate, ultimateOf, domainMapping, logins }: TableNames,
  networks: readonly NetworkRow[],
): string[] {
  const apart = networks.length > 1 ? networks.map(({ id }) => ultimateOf(id)) : []
  return [
    ...(setting === 'Auto' || setting === 'UltimateMultisite' ? [ultimate, ...apart] : []),
    ...(setting === 'Auto' || setting === 'DomainMapping' ? [domainMapping, logins] : []),
  ]
}

/** Finds the mapping tables that count. Throws a `DatabaseError` that names the setting where it is not certain which do. */
export async function findTables(database: Database, setting: MappingsSetting, known: Known): Promise<Tables> {
  const found = await look(database, setting, known)
  const { ultimate, domainMapping } = found
  const both = setting === 'Auto' && ultimate !== undefined && domainMapping !== undefined
  const compare = both && runningOf(found) === undefined
  const copied = compare && (await isCopied(database, found))
  const choice = chooseFamily(setting, { ...found, copied })
  if ('undecided' in choice) throw new DatabaseError(choice.undecided)
  const { family, table } = choice
  const older = compare ? [{ table: found.names.domainMapping, columns: domainMapping }] : []
  return { family, tables: table === undefined ? [] : tablesOf(family, found), older }
}

async function look(database: Database, setting: MappingsSetting, { names, meta, networks }: Known): Promise<Findings> {
  const columns = new Map<string, readonly string[] | undefined>()
  for (const table of candidatesOf(setting, names, networks)) columns.set(table, await database.columns(table))
  const setUp = meta.filter(({ key }) => key === MARKS.ultimate || key === MARKS.ultimateSettings)
  return {
    names,
    ultimate: columns.get(names.ultimate),
    domainMapping: columns.get(names.domainMapping),
    apart: networks.flatMap(({ id: network }) => {
      const [table, found] = [names.ultimateOf(network), columns.get(names.ultimateOf(network))]
      return found === undefined ? [] : [{ network, table, columns: found }]
    }),
    logins: columns.get(names.logins) !== undefined,
    marks: new Set(meta.map(({ key }) => key)),
    setUp: new Set(setUp.map(({ siteId }) => siteId)),
    active: activePlugins(meta),
  }
}

function tablesOf(family: Family, { names, ultimate, domainMapping = [], apart }: Findings): MappingTable[] {
  if (family !== 'UltimateMultisite') return [{ table: names.domainMapping, columns: domainMapping }]
  return [...(ultimate === undefined ? [] : [{ table: names.ultimate, columns: ultimate }]), ...apart]
}

/** Whether every row of the older table whose site is there stands in the newer one: the plugin's migrator copies, and leaves it. */
async function isCopied(database: Database, { names, ultimate = [], domainMapping = [] }: Findings): Promise<boolean> {
  if (![ultimate, domainMapping].every((columns) => columns.includes('blog_id') && columns.includes('domain')))
    return false
  const newer = await pairsOf(database, quote(names.ultimate))
  const served = `${quote(names.domainMapping)} WHERE blog_id IN (SELECT blog_id FROM ${quote(names.blogs)})`
  const older = await pairsOf(database, served)
  return older !== undefined && [...older].every((pair) => newer?.has(pair))
}

/** Site and domain of each row; undefined where not as many rows came as there are. */
async function pairsOf(database: Database, from: string): Promise<Set<string> | undefined> {
  const rows = await database.rows(`SELECT blog_id AS ${database.mark}, domain FROM ${from}`)
  const [[count] = []] = await database.rows(`SELECT COUNT(*) AS ${database.mark} FROM ${from}`)
  if (rows.length !== Number(count)) return undefined
  return new Set(rows.map(([blogId, domain]) => `${blogId} ${compareKey(domain ?? '')}`))
}
