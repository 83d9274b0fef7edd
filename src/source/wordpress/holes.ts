import { groupBy } from '../../domain/group-by.ts'
import { listNames } from '../../domain/list-names.ts'
import type { SourceFault } from '../source.ts'

/** What is looked at of a row of a mapping table. */
interface Row {
  table: string
  id: string
  blogId: string | null
  domain: string | null
}

/** A row that means nothing: it has no domain, no site, or a port. */
export interface Hole {
  row: Row
  kind: 'domain' | 'site' | 'port'
}

/** What is wrong with a row, whichever plugin reads it; undefined when it names a domain and a site that is there. */
export function holeIn(row: Row, hasSite: boolean): Hole | undefined {
  const name = nameIn(row)
  if (name === '') return { row, kind: 'domain' }
  if (!hasSite) return { row, kind: 'site' }
  return /:\d*$/.test(name) ? { row, kind: 'port' } : undefined
}

/** Why it does not count, as a clause. */
export function whyHole({ row, kind }: Hole): string {
  if (kind === 'domain') return 'it has no domain'
  return kind === 'site' ? `its site ${row.blogId} does not exist` : 'it has a port'
}

/** One by one, and of many that are alike. */
const WORDS: Readonly<Record<Hole['kind'], { one: (row: Row) => string; many: string; cure: string }>> = {
  domain: {
    one: () => 'the row has no domain; it does not count. Remove it or give it one.',
    many: 'rows have no domain, and do not count',
    cure: 'Remove them, or give each one.',
  },
  site: {
    one: (row) =>
      `${nameIn(row)} is mapped to site ${row.blogId}, which does not exist; it does not count. Remove the row.`,
    many: 'rows are mapped to sites that do not exist, and do not count',
    cure: 'A plugin leaves the rows of a site that is deleted: remove them when nobody needs them.',
  },
  port: {
    one: (row) => `${nameIn(row)} has a port; ServerPilot serves host names. It does not count: remove the port.`,
    many: 'rows have a port, and do not count, as ServerPilot serves host names',
    cure: 'Remove the ports.',
  },
}

/** How many of those that are alike are named. */
const NAMED = 3

/** One fault for a row that means nothing; one for all of a table that are alike, however many they are. */
export function holeFaults(holes: readonly Hole[]): SourceFault[] {
  const groups = groupBy(holes, ({ row, kind }) => `${row.table} ${kind}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { row, kind } = first
    if (group.length === 1) return [{ place: `${row.table} id ${row.id}`, message: WORDS[kind].one(row) }]
    const named = listNames(
      group.map((each) => shown(each.row)),
      NAMED,
    )
    const { many, cure } = WORDS[kind]
    return [{ place: row.table, message: `${group.length} ${many}: ${named}. ${cure} \`explain HOST\` knows each.` }]
  })
}

const nameIn = ({ domain }: Row): string => domain?.trim() ?? ''

const shown = (row: Row): string => `id ${row.id}${nameIn(row) === '' ? '' : ` (${nameIn(row)})`}`
