import type { Cell } from '../../../src/source/wordpress/connection.ts'

/** A row, by column. */
export type Row = Readonly<Record<string, Cell>>

/** A table at one moment: a change makes another value of it. */
export interface Table {
  /** The first one is the id. */
  readonly columns: readonly string[]
  /** By id. */
  readonly rows: readonly Row[]
  /** AUTO_INCREMENT: the id of the next row. */
  readonly next: number
  /** Another one once the table is made anew: what was begun on the one before cannot go on. */
  readonly made: object
}

/** All tables at one moment. */
export type Tables = ReadonlyMap<string, Table>

/** An empty table, made just now. */
export const emptyTable = (columns: readonly string[]): Table => ({ columns, rows: [], next: 1, made: {} })

/** Inserts a row with the next id. */
export function insert(table: Table, row: Row): Table {
  const { columns, rows, next } = table
  const whole = Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))
  return { ...table, rows: [...rows, { ...whole, [columns[0]!]: String(next) }], next: next + 1 }
}

/** Changes every row that fits. */
export const update = (table: Table, fits: (row: Row) => boolean, change: Row): Table => ({
  ...table,
  rows: table.rows.map((row) => (fits(row) ? { ...row, ...change } : row)),
})

/** Deletes every row that fits. The counter stays. */
export const deleteRows = (table: Table, fits: (row: Row) => boolean): Table => ({
  ...table,
  rows: table.rows.filter((row) => !fits(row)),
})

/** The largest id in a table; 0 when it is empty. */
export const largestId = ({ columns, rows }: Table): number =>
  rows.reduce((largest, row) => Math.max(largest, Number(row[columns[0]!])), 0)
