import type { App } from '../../../src/api/objects.ts'
import { resolveConflicts } from '../../../src/plan/conflicts.ts'
import { compileMapping } from '../../../src/plan/desired.ts'
import type { MappingRead } from '../../../src/source/source.ts'
import type { DatabaseServer, TestDatabase } from './database-server.ts'
import { app, type WordpressSpec, type World, world } from './world.ts'

/** The hosts that a plan makes of what was read. */
export function hostsOf(read: MappingRead, of: App): string[] {
  const compiled = read.mappings.map((mapping) => compileMapping(of, mapping, () => undefined))
  const desired = resolveConflicts([{ app: of.key, compiled }], () => undefined).get(of.key)
  return [...(desired?.hosts.keys() ?? [])].sort()
}

interface Given {
  wordpress?: Partial<WordpressSpec>
  spec?: Partial<App['spec']>
  /** Credentials of the plugin that a wp-config.php defines. */
  defined?: readonly string[]
}

/** A database with these tables and rows on a server, read. */
export async function given(
  t: { after(work: () => Promise<void>): void },
  server: DatabaseServer,
  tables: string,
  { wordpress, spec, defined }: Given = {},
): Promise<World & { database: TestDatabase; of: App; hosts(): string[] }> {
  const database = await server.database()
  await database.sql(tables)
  const of = app(wordpress, spec)
  const seen = await world(t, () => database.url(), { given: of, ...(defined === undefined ? {} : { defined }) })
  return { database, of, ...seen, hosts: () => hostsOf(seen.read(), of) }
}
