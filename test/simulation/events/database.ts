import { driverError, serverError } from '../database/errors.ts'
import type { Way } from '../database/network.ts'
import { type DatabaseServer, type DatabaseTrouble, noDatabaseTrouble } from '../database/server.ts'
import { emptyTable, largestId, type Table } from '../database/tables.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { type EventKind, MINUTE } from './kind.ts'
import { restartSoon } from './processes.ts'

type Named = readonly [app: string, server: DatabaseServer]

/** Something happens to one of the databases. `happen` gives what to tell. */
const database = (
  name: string,
  happen: (world: World, named: Named, random: Random) => string | undefined,
): EventKind => ({
  name,
  happen: (world, random) =>
    happen(
      world,
      random.pick([...world.databases.servers.values()].map((server) => [server.app, server] as const)),
      random,
    ),
})

/** A trouble of a server that is over after some minutes. */
const trouble = <Key extends keyof DatabaseTrouble>(
  name: string,
  key: Key,
  values: readonly DatabaseTrouble[Key][],
  words: string,
): EventKind =>
  database(name, (world, [app, server], random) => {
    const value = random.pick(values)
    server.trouble[key] = value
    const minutes = random.whole(1, 30)
    world.heal(minutes * MINUTE, () => {
      if (server.trouble[key] === value) server.trouble[key] = noDatabaseTrouble()[key]
    })
    return `the database of ${app} ${words} for ${minutes} minutes`
  })

/** Breaks one reading off. */
const breaks = (name: string, errors: readonly (() => Error)[], words: string): EventKind =>
  database(name, (_world, [app, server], random) => {
    server.trouble.breaks = { after: random.whole(1, 16), error: random.pick(errors)() }
    return `${words} in the next reading of the database of ${app}`
  })

/** A mapping stops to count, in a way of its own; perhaps its users take that back. */
const goes = (name: string, ways: readonly Way[], words: string): EventKind =>
  database(name, (world, [app, { network }], random) => {
    const mine = [...world.declared.mappings.values()].filter((each) => each.app === app)
    if (mine.length === 0) return undefined
    const mapping = random.pick(mine)
    network.remove(mapping.domain, random.pick(ways))
    world.declared.removeMapping(mapping.name)
    if (random.chance(0.6))
      world.time.after(random.whole(1, 30 * MINUTE), () => {
        const isMapped = [...world.declared.mappings.values()].some(({ domain }) => domain === mapping.domain)
        if (!isMapped) world.declared.putMapping(mapping)
      })
    return `${words} ${mapping.domain} in the database of ${app}`
  })

/** The users see to it that the rows are as they want them. */
function mend({ declared }: World, [, { app, network }]: Named): void {
  const wanted = [...declared.mappings.values()].filter((each) => each.app === app).map(({ domain }) => domain)
  for (const domain of network.live()) if (!wanted.includes(domain)) network.remove(domain)
  for (const domain of wanted) network.put(domain)
}

/**
 * What docs/wordpress.md asks for after an older copy: the counters are set on, or the daemon is started anew. Until then it takes what it
 * reads for an older copy.
 */
function settleCounters(world: World, { network }: DatabaseServer, random: Random): void {
  if (random.chance(0.5)) network.catchUp()
  else {
    network.forgetIds()
    for (const slot of world.fleet.slots) {
      slot.daemon?.terminate()
      restartSoon(world, slot, random)
    }
  }
}

/** For some minutes a table is another one, or none; then the users put right what is wrong. */
function replaceTable(
  world: World,
  named: Named,
  random: Random,
  change: (table: Table) => Table | undefined,
): boolean {
  const [, { network }] = named
  const table = network.tables.get(network.table)
  if (table === undefined) return false
  const changed = change(table)
  const without = new Map(network.tables)
  without.delete(network.table)
  network.replace(changed === undefined ? without : without.set(network.table, changed))
  world.heal(random.whole(1, 30) * MINUTE, () => {
    if (!network.isWhole()) network.replace(new Map(network.tables).set(network.table, table))
    mend(world, named)
    if (network.isBehind()) settleCounters(world, named[1], random)
  })
  return true
}

/** What becomes of the databases of WordPress networks. */
export const databases: readonly EventKind[] = [
  trouble('database-away', 'away', [true], 'is away'),
  trouble('database-silent', 'silent', [true], 'says nothing'),
  trouble('database-slow', 'slowMs', [4_000, 60_000], 'is slow'),
  trouble('database-denies', 'refuses', [1045, 1044, 1040], 'turns its user away'),
  breaks(
    'connection-lost',
    [
      () => driverError('ECONNRESET', 'read ECONNRESET'),
      () => driverError('PROTOCOL_CONNECTION_LOST', 'Connection lost: The server closed the connection.'),
    ],
    'the connection is lost',
  ),
  breaks(
    'statement-killed',
    [
      () => serverError(1317, 'Query execution was interrupted'),
      () => serverError(1927, 'Connection was killed'),
      () => serverError(1205, 'Lock wait timeout exceeded; try restarting transaction'),
      () => serverError(1142, "SELECT command denied to user 'reader'@'192.0.2.1' for table 'wp_blogs'"),
    ],
    'a statement is ended',
  ),
  goes('site-archived', ['archived'], 'the site is archived of'),
  goes('site-spammed', ['spam'], 'the site is marked as spam of'),
  goes('site-deleted', ['deleted'], 'the site is marked as deleted of'),
  goes('site-gone', ['site-gone'], 'the site is gone, and the row left over, of'),
  goes('row-gone', ['row-gone'], 'the row is deleted of'),
  goes('row-inactive', ['inactive', 'archived'], 'the mapping is switched off of'),
  database('table-missing', (world, named, random) =>
    replaceTable(world, named, random, () => undefined)
      ? `the table of mappings of ${named[0]} is missing for a while`
      : undefined,
  ),
  database('table-emptied', (world, named, random) => {
    // The network's own site is always there.
    const kept = named[1].network.plugin === 'Core' ? 1 : 0
    return replaceTable(world, named, random, (table) => ({ ...table, rows: table.rows.slice(0, kept) }))
      ? `the table of mappings of ${named[0]} is emptied for a while`
      : undefined
  }),
  database('table-made-anew', (world, named, random) => {
    if (named[1].network.plugin === 'Core') return undefined
    return replaceTable(world, named, random, ({ columns }) => emptyTable(columns))
      ? `the table of mappings of ${named[0]} is made anew, and is empty for a while`
      : undefined
  }),
  database('older-copy', (world, named, random) => {
    const [app, { network }] = named
    const whole = network.copies.filter((copy) => network.isWhole(copy))
    if (whole.length === 0) return undefined
    const made = {}
    const copy = random.pick(whole)
    network.replace(new Map([...copy].map(([name, table]) => [name, { ...table, made }])))
    world.heal(random.whole(1, 30) * MINUTE, () => {
      mend(world, named)
      if (network.isBehind()) settleCounters(world, named[1], random)
    })
    return `the database of ${app} is put back to an older copy`
  }),
  database('replica-lags', (world, [app, server], random) => {
    const lags = random.pick([server.network.tables, ...server.network.copies])
    server.trouble.lags = lags
    const minutes = random.whole(1, 30)
    world.heal(minutes * MINUTE, () => {
      if (server.trouble.lags === lags) server.trouble.lags = undefined
      // It may have had rows of a table that was made anew since.
      server.network.noteIds(lags)
      if (server.network.isBehind()) settleCounters(world, server, random)
    })
    return `the database of ${app} is read from a replica that stands still for ${minutes} minutes`
  }),
  database('counter-goes-back', (world, [app, { network }], random) => {
    const table = network.tables.get(network.table)
    if (table === undefined || largestId(table) + 1 === table.next) return undefined
    network.replace(new Map(network.tables).set(network.table, { ...table, next: largestId(table) + 1 }))
    world.heal(random.whole(1, 30) * MINUTE, () => network.catchUp())
    return `the counter of ${network.table} of ${app} goes back to its largest row`
  }),
]
