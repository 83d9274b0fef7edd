import { crc32 } from 'node:zlib'
import type { Cell } from '../../../src/source/wordpress/connection.ts'
import { serverError } from './errors.ts'
import type { Row, Table } from './tables.ts'

/** A statement that was understood; `tableOf` gives a table by its name, or throws. */
export type Query = (tableOf: TableOf) => Cell[][]
export type TableOf = (name: string) => Table

/** What `DATABASE()` gives. */
export const SCHEMA = 'wordpress'

/** `NOW()` is asked for like a table with one row of this column. */
export const MOMENT = 'now'

/** What an expression is worked out on: a row, or all of them under an aggregate. */
interface Scope {
  tableOf: TableOf
  row: Row
  rows: readonly Row[]
}
type Expression = (scope: Scope) => Cell

interface Select {
  items: Expression[]
  columns: string[]
  from: string | undefined
  where: Expression | undefined
  order: Expression[]
  limit: number
  /** One row comes of all of them. */
  aggregate: boolean
}

type Words = ReturnType<typeof wordsOf>

const FUNCTIONS: Readonly<Record<string, (values: Cell[]) => Cell>> = {
  CONCAT_WS: ([separator, ...rest]) => rest.filter((each) => each !== null).join(separator ?? ''),
  CONCAT: (values) => (values.includes(null) ? null : values.join('')),
  IFNULL: ([value, instead]) => value ?? instead ?? null,
  COALESCE: (values) => values.find((each) => each !== null) ?? null,
  HEX: ([value]) => (value == null ? null : Buffer.from(value).toString('hex').toUpperCase()),
  CRC32: ([value]) => (value == null ? null : String(crc32(value))),
  DATABASE: () => SCHEMA,
  IF: ([condition = null, value = null, instead = null]) => (isTrue(condition) ? value : instead),
}

const AGGREGATES: Readonly<Record<string, (values: string[]) => Cell>> = {
  COUNT: (values) => String(values.length),
  SUM: (values) => (values.length === 0 ? null : String(values.reduce((sum, each) => sum + Number(each), 0))),
  MAX: (values) => values.toSorted(compare).at(-1) ?? null,
}

/** No collation tells large letters from small ones. */
const isEqual = (a: Cell, b: Cell): boolean => a !== null && b !== null && a.toLowerCase() === b.toLowerCase()
const truth = (value: boolean): Cell => (value ? '1' : '0')
const isTrue = (value: Cell): boolean => value !== null && value !== '0'

const compiled = new Map<string, Query>()

/** Understands a SELECT of one table, with scalar ones inside of it. Throws at whatever is not known. */
export function queryOf(sql: string): Query {
  const query = compiled.get(sql) ?? compile(sql)
  compiled.set(sql, query)
  return query
}

function compile(sql: string): Query {
  const words = wordsOf(sql)
  const select = selectOf(words)
  const rest = words.peek()
  if (rest !== undefined) throw unknown(rest, sql)
  return (tableOf) => rowsOf(select, tableOf)
}

function selectOf(words: Words): Select {
  const select: Select = {
    items: [],
    columns: [],
    from: undefined,
    where: undefined,
    order: [],
    limit: Number.POSITIVE_INFINITY,
    aggregate: false,
  }
  words.expect('SELECT')
  select.items = listOf(words, () => itemOf(words, select))
  if (words.accept('FROM')) select.from = nameOf(words.next())
  if (words.accept('WHERE')) select.where = anyOf(words, select)
  if (words.accept('ORDER')) {
    words.expect('BY')
    select.order = listOf(words, () => orderOf(words, select))
  }
  if (words.accept('LIMIT')) select.limit = Number(words.next())
  return select
}

function itemOf(words: Words, select: Select): Expression {
  const item = anyOf(words, select)
  if (words.accept('AS')) words.next()
  return item
}

/** `ORDER BY 2` means the second item. */
function orderOf(words: Words, select: Select): Expression {
  const by = /^\d+$/.test(words.peek() ?? '') ? select.items[Number(words.next()) - 1] : anyOf(words, select)
  if (by === undefined) throw serverError(1054, 'Unknown column in order clause')
  return by
}

function rowsOf({ items, columns, from, where, order, limit, aggregate }: Select, tableOf: TableOf): Cell[][] {
  const table = from === undefined ? { columns: [] as string[], rows: [{}] } : tableOf(from)
  const missing = columns.find((column) => !table.columns.includes(column))
  if (missing !== undefined) throw serverError(1054, `Unknown column '${missing}' in 'SELECT'`)
  const scopeOf = (row: Row, rows: readonly Row[] = []): Scope => ({ tableOf, row, rows })
  const found = table.rows.filter((row) => where === undefined || isTrue(where(scopeOf(row))))
  if (aggregate) return [items.map((item) => item(scopeOf({}, found)))]
  return found
    .map((row) => ({ row: items.map((item) => item(scopeOf(row))), by: order.map((each) => each(scopeOf(row))) }))
    .sort((a, b) => a.by.map((value, at) => compare(value, b.by[at] ?? null)).find((sign) => sign !== 0) ?? 0)
    .slice(0, limit)
    .map(({ row }) => row)
}

/** Numbers as numbers, and what is missing first. */
function compare(a: Cell, b: Cell): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null)
  const difference = Number(a) - Number(b)
  return Number.isNaN(difference) ? Number(a > b) - Number(a < b) : difference
}

function anyOf(words: Words, select: Select): Expression {
  const parts = [allOf(words, select)]
  while (words.accept('OR')) parts.push(allOf(words, select))
  return parts.length === 1 ? parts[0]! : (scope) => truth(parts.some((part) => isTrue(part(scope))))
}

function allOf(words: Words, select: Select): Expression {
  const parts = [comparisonOf(words, select)]
  while (words.accept('AND')) parts.push(comparisonOf(words, select))
  return parts.length === 1 ? parts[0]! : (scope) => truth(parts.every((part) => isTrue(part(scope))))
}

function comparisonOf(words: Words, select: Select): Expression {
  const left = termOf(words, select)
  if (words.accept('=')) {
    const right = termOf(words, select)
    return (scope) => truth(isEqual(left(scope), right(scope)))
  }
  if (words.accept('>')) {
    const right = termOf(words, select)
    return (scope) => truth(compare(left(scope), right(scope)) > 0)
  }
  if (words.accept('IN')) {
    words.expect('(')
    const list = listOf(words, () => termOf(words, select))
    words.expect(')')
    return (scope) => truth(list.some((each) => isEqual(left(scope), each(scope))))
  }
  return left
}

function termOf(words: Words, select: Select): Expression {
  const word = words.next()
  if (word === '(') {
    const inner = words.peek()?.toUpperCase() === 'SELECT' ? scalarOf(selectOf(words)) : anyOf(words, select)
    words.expect(')')
    return inner
  }
  if (word.startsWith("'")) return constant(word.slice(1, -1).replaceAll("''", "'"))
  if (/^\d/.test(word)) return constant(word)
  if (words.accept('(')) return callOf(word.toUpperCase(), words, select)
  const name = nameOf(word)
  select.columns.push(name)
  return ({ row }) => row[name] ?? null
}

const constant =
  (value: Cell): Expression =>
  () =>
    value

/** The one value of a SELECT in brackets. It stays what it is for as long as the table does. */
function scalarOf(select: Select): Expression {
  const known = new WeakMap<Table, Cell>()
  return ({ tableOf }) => {
    const table = select.from === undefined ? undefined : tableOf(select.from)
    if (table !== undefined && known.has(table)) return known.get(table)!
    const value = rowsOf(select, tableOf)[0]?.[0] ?? null
    if (table !== undefined) known.set(table, value)
    return value
  }
}

function callOf(name: string, words: Words, select: Select): Expression {
  const [plain, aggregate] = [FUNCTIONS[name], AGGREGATES[name]]
  if (name === 'NOW') {
    words.expect(')')
    return ({ tableOf }) => tableOf(MOMENT).rows[0]?.now ?? null
  }
  const isStar = words.accept('*')
  const values = isStar || words.peek() === ')' ? [] : listOf(words, () => anyOf(words, select))
  words.expect(')')
  if (plain !== undefined) return (scope) => plain(values.map((value) => value(scope)))
  if (aggregate === undefined) throw unknown(name, 'a function')
  select.aggregate = true
  const of = isStar ? constant('1') : values[0]!
  return (scope) => aggregate(scope.rows.map((row) => of({ ...scope, row })).filter((each) => each !== null))
}

function listOf<T>(words: Words, one: () => T): T[] {
  const list = [one()]
  while (words.accept(',')) list.push(one())
  return list
}

const nameOf = (word: string): string => word.replaceAll('`', '')

const unknown = (word: string | undefined, where: string): Error =>
  new Error(`the model of a database does not know "${word}" of: ${where}`)

/** The words of a statement, one after the other. */
function wordsOf(sql: string) {
  const words = sql.match(/`[^`]+`|'(?:[^']|'')*'|[A-Za-z_][\w.]*|\d+|\S/g) ?? []
  let at = 0
  const accept = (word: string): boolean => {
    if (words[at]?.toUpperCase() !== word) return false
    at++
    return true
  }
  return {
    peek: (): string | undefined => words[at],
    next(): string {
      const word = words[at++]
      if (word === undefined) throw unknown('its end', sql)
      return word
    },
    accept,
    expect(word: string): void {
      if (!accept(word)) throw unknown(words[at], sql)
    },
  }
}
