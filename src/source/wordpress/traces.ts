import type { Database } from './connection.ts'
import { dateOf } from './rows.ts'

/** What a server keeps of its tables beside their rows. */
export interface Traces {
  /** Those of the tables that are there. */
  present: ReadonlySet<string>
  /** By table, a text that stays the same only while nobody writes to the table; missing where the server cannot say that. */
  settled: ReadonlyMap<string, string>
}

/** `UPDATE_TIME` has whole seconds, and is set a moment before or after a change is seen. */
const SETTLED_MS = 2000

/**
 * Asks what the server keeps of these tables; it reads no row of them. To be asked before the rows are: what is written in between is then
 * seen the next time.
 *
 * InnoDB sets `UPDATE_TIME` at each commit, keeps it in memory, and knows none (NULL) after a restart until the next one. A change in the
 * second of another one does not move it, so only one that lies back says anything. Other engines and views say nothing.
 */
export async function tracesOf(database: Database, tables: readonly string[]): Promise<Traces> {
  const known = ['ENGINE', 'UPDATE_TIME', 'CREATE_TIME', 'AUTO_INCREMENT'].map((column) => `IFNULL(${column}, '-')`)
  // One by one and by their whole names: the server then looks at no other of the network's many tables.
  const each = tables.map(
    (table) =>
      `(SELECT CONCAT_WS('/', ${known.join(', ')}) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}')`,
  )
  const [[now = null, ...row] = []] = await database.rows(`SELECT NOW() AS ${database.mark}, ${each.join(', ')}`)
  const texts = tables.map((table, index) => [table, row[index] ?? null] as const)
  const settled = texts.filter(([, text]) => isSettled(text, dateOf(now)))
  return {
    present: new Set(texts.filter(([, text]) => text !== null).map(([table]) => table)),
    settled: new Map(settled as [string, string][]),
  }
}

function isSettled(text: string | null, now: number | undefined): boolean {
  const [engine, updated] = text?.split('/') ?? []
  const at = dateOf(updated ?? null)
  return engine === 'InnoDB' && at !== undefined && now !== undefined && now - at >= SETTLED_MS
}
