import { type Database, quote } from './connection.ts'
import { DatabaseError } from './database-error.ts'

/** A table with the columns in which a change matters. `where` keeps to rows that matter. */
export interface Involved {
  table: string
  columns: readonly string[]
  where?: string
}

/** By table: how many rows, and a number that is another one when anything that matters in them is. */
export type Sums = ReadonlyMap<string, { count: number; sum: string }>

/**
 * A sum over each row of these tables. The server reads the rows and sends one line. Sums over the bytes themselves, in hex: no
 * collation has a say, and no charset is converted.
 *
 * A sum, because `MAX(date_modified)` misses what people change by hand, and three of the plugins have no dates at all.
 */
export async function sumsOf(database: Database, involved: readonly Involved[]): Promise<Sums> {
  const sums = involved.map(({ table, columns, where }, index) => {
    const cells = columns.map((column) => `IFNULL(HEX(${quote(column)}), '-')`).join(', ')
    const condition = where === undefined ? '' : ` WHERE ${where}`
    const name = index === 0 ? ` AS ${database.mark}` : ''
    return `(SELECT CONCAT_WS(':', COUNT(*), SUM(CRC32(CONCAT_WS('.', ${cells})))) FROM ${quote(table)}${condition})${name}`
  })
  const [row = []] = await database.rows(`SELECT ${sums.join(', ')}`)
  return new Map(
    involved.map(({ table }, index) => {
      const [count, sum = ''] = (row[index] ?? '').split(':')
      return [table, { count: count ? Number(count) : Number.NaN, sum }]
    }),
  )
}

/** Throws a `DatabaseError` unless as many rows of a table came as the same snapshot has: an answer that was cut looks like a whole one. */
export function requireWhole(sums: Sums, table: string, came: number): void {
  const count = sums.get(table)?.count
  if (count === came) return
  throw new DatabaseError(
    `${came} rows of table ${table} came, and it has ${count}: something between here and the server cuts answers, so connect to the server itself; or the table is not of InnoDB and was changed meanwhile, and then the next reading is whole`,
  )
}
