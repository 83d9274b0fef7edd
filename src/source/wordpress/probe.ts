import { type Cell, type Database, quote } from './connection.ts'

/** A table with the columns in which a change matters. `where` keeps to rows that matter. */
export interface Involved {
  table: string
  columns: readonly string[]
  where?: string
}

/** What a short reading compares. */
export interface Watched {
  involved: readonly Involved[]
  /** Tables that would be looked at if they were there, or that decide by being there. */
  candidates: readonly string[]
}

/**
 * One text that is another one when anything that matters in these tables is, or one of the candidates comes or goes: count, and a
 * sum over each row. The server reads the rows and sends one line. Sums over the bytes themselves, in hex: no collation has a say,
 * and no charset is converted.
 *
 * A sum, because `MAX(date_modified)` misses what people change by hand, and three of the plugins have no dates at all.
 */
export async function fingerprint(database: Database, { involved, candidates }: Watched): Promise<string> {
  const sums = involved.map(({ table, columns, where }) => {
    const cells = columns.map((column) => `IFNULL(HEX(${quote(column)}), '-')`).join(', ')
    const condition = where === undefined ? '' : ` WHERE ${where}`
    return `(SELECT CONCAT_WS(':', COUNT(*), SUM(CRC32(CONCAT_WS('.', ${cells})))) FROM ${quote(table)}${condition})`
  })
  // By their whole names: the server then looks at no other of the network's many tables.
  const present = candidates.map(
    (table) =>
      `(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}')`,
  )
  const [row = []] = await database.rows(`SELECT ${[...sums, ...present].join(', ')}`)
  return [...involved.map(({ table }) => table), ...row.map((cell: Cell) => cell ?? '')].join(' ')
}
