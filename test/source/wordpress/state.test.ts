import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { serialize } from 'php-serialize'
import { DatabaseError } from '../../../src/source/wordpress/database-error.ts'
import { type Family, tableNames } from '../../../src/source/wordpress/families.ts'
import { WWW_KEY } from '../../../src/source/wordpress/settings.ts'
import type { DatabaseRead, Known } from '../../../src/source/wordpress/snapshot.ts'
import {
  advance,
  failed,
  knownAt,
  pauseOf,
  reread,
  type State,
  unread,
  WHOLE_READ_MS,
} from '../../../src/source/wordpress/state.ts'
import { app } from './world.ts'

const names = tableNames('wp_')

function tableOf(family: Family): string | undefined {
  if (family === 'Core') return undefined
  return family === 'UltimateMultisite' ? names.ultimate : names.domainMapping
}

interface Given {
  family?: Family
  /** Domain by id. */
  rows?: Record<string, string>
  next?: bigint
  www?: string
  networks?: string[]
}

const KNOWN: Known = { watched: { involved: [], candidates: [] }, sums: new Map(), present: [], traces: new Map() }

function read({
  family = 'UltimateMultisite',
  rows = {},
  next,
  www,
  networks = ['network.example'],
}: Given): DatabaseRead {
  const table = tableOf(family)
  const largest = BigInt(Math.max(0, ...Object.keys(rows).map(Number)))
  return {
    kind: 'read',
    known: KNOWN,
    snapshot: {
      family,
      names,
      table,
      networks: networks.map((domain, index) => ({ id: String(index + 1), domain })),
      sites: [
        {
          blogId: '1',
          siteId: '1',
          domain: 'network.example',
          registered: null,
          archived: '0',
          spam: '0',
          deleted: '0',
        },
      ],
      mappings: Object.entries(rows).map(([id, domain]) => ({
        table: table ?? '',
        id,
        blogId: '1',
        domain,
        active: '1',
        stage: 'done',
        created: null,
      })),
      meta: www === undefined ? [] : [{ siteId: '1', key: WWW_KEY, value: www }],
      largest: table === undefined ? new Map() : new Map([[table, largest]]),
      next: table === undefined || next === undefined ? new Map() : new Map([[table, next]]),
    },
  }
}

const SAME: DatabaseRead = { kind: 'same', known: KNOWN }
const away = new DatabaseError('not reachable', true)
const refused = new DatabaseError('no such table')
const PLACE = 'database wp'

type Step = DatabaseRead | DatabaseError

function steps(...all: Step[]): State {
  return from(unread(app()), app(), ...all)
}

function from(state: State, of: ReturnType<typeof app>, ...all: Step[]): State {
  return all.reduce(
    (before, step) => (step instanceof DatabaseError ? failed(before, step) : advance(before, of, step, 1000, PLACE)),
    state,
  )
}

const domains = ({ served }: State) => served.mappings.map(({ domain }) => domain)
const failure = ({ served }: State) => served.failure?.message
const AB = { 1: 'a.example.com', 2: 'b.example.com' }
const ABC = { ...AB, 3: 'c.example.com' }
const NEVER = serialize({ auto_create_www_subdomain: 'never' })

describe('state', () => {
  test('before the first look it has failed, and nothing is known', () => {
    assert.match(failure(unread(app())) ?? '', /wordpress\/network was not read yet/)
    assert.equal(knownAt(unread(app()), 0), undefined)
  })

  test('the same again keeps the identity of everything; one more row keeps that of the others', () => {
    const first = steps(read({ rows: AB }))
    const again = from(first, app(), read({ rows: AB }), SAME)
    assert.equal(again.served, first.served)
    const more = from(first, app(), read({ rows: ABC }))
    assert.notEqual(more.served.mappings, first.served.mappings)
    assert.equal(more.served.mappings[0], first.served.mappings[0])
    assert.equal(more.served.protectedHosts, first.served.protectedHosts)
  })

  test('a failure keeps mappings, protected names and identity, and heals with a short look', () => {
    const good = steps(read({ rows: AB }))
    const bad = from(good, app(), away)
    assert.equal(bad.served.mappings, good.served.mappings)
    assert.equal(bad.served.protectedHosts, good.served.protectedHosts)
    assert.equal(failure(bad), 'not reachable')
    assert.ok(knownAt(bad, 1000))
    const healed = from(bad, app(), SAME)
    assert.equal(failure(healed), undefined)
    assert.equal(healed.served.mappings, good.served.mappings)
  })

  test('a database that answers with a refusal is read as a whole next time, at the usual pace', () => {
    const bad = steps(read({ rows: AB }), away, refused)
    assert.equal(knownAt(bad, 1000), undefined)
    assert.equal(pauseOf(bad, 5000, 1), 5000)
    assert.deepEqual(domains(bad), ['a.example.com', 'b.example.com'])
  })

  test('the whole is read again after five minutes', () => {
    const state = steps(read({ rows: AB }))
    assert.ok(knownAt(state, 1000 + WHOLE_READ_MS - 1))
    assert.equal(knownAt(state, 1000 + WHOLE_READ_MS), undefined)
  })

  test('pauses grow while nobody answers, to a minute, and are not all alike', () => {
    const pauses = [1, 2, 3, 4, 5, 50].map((count) => pauseOf(steps(...Array(count).fill(away)), 5000, 1))
    assert.deepEqual(pauses, [10_000, 20_000, 40_000, 60_000, 60_000, 60_000])
    assert.equal(pauseOf(steps(away), 5000, 0), 5000)
    assert.equal(pauseOf(steps(away), 120_000, 1), 120_000, 'never more often than asked for')
    assert.equal(pauseOf(steps(away, read({})), 5000, 0), 5000)
  })

  test('the newest row may go: the counter tells that from a copy', () => {
    const state = steps(read({ rows: ABC, next: 4n }), read({ rows: AB, next: 4n }))
    assert.equal(failure(state), undefined)
    assert.deepEqual(domains(state), ['a.example.com', 'b.example.com'])
  })

  test('a copy that went backwards: nothing is taken from it until it has caught up', () => {
    const back = steps(read({ rows: ABC, next: 4n }), read({ rows: AB, next: 3n }))
    assert.match(
      failure(back) ?? '',
      /database wp: table wp_wu_domain_mappings would give id 3.*id 3 was seen.*restart domainpilot/,
    )
    assert.equal(domains(back).length, 3)
    assert.match(failure(from(back, app(), SAME)) ?? '', /would give id 3/, 'a short look clears no doubt')
    assert.match(failure(from(back, app(), away, SAME)) ?? '', /would give id 3/)
    const caught = from(back, app(), read({ rows: { ...AB, 4: 'd.example.com' }, next: 5n }))
    assert.equal(failure(caught), undefined)
    assert.deepEqual(domains(caught), ['a.example.com', 'b.example.com', 'd.example.com'])
  })

  test('a-counter-that-went-back: a new row is in, nothing goes and nothing changes, and the message says both', () => {
    const six = { ...AB, 4: 'd.example.com', 5: 'e.example.com', 6: 'f.example.com' }
    const seen = steps(read({ rows: six, next: 7n }), read({ rows: AB, next: 7n }))
    assert.equal(failure(seen), undefined)
    const back = from(seen, app(), read({ rows: { 2: 'b.example.com', 3: 'new.example.com' }, next: 4n }))
    assert.match(failure(back) ?? '', /nothing is removed or changed by it; names that are new are added all the same/)
    assert.deepEqual(domains(back), ['a.example.com', 'b.example.com', 'new.example.com'])
    assert.equal(
      from(back, app(), read({ rows: { 2: 'b.example.com', 3: 'new.example.com' }, next: 4n })).served,
      back.served,
    )
    const other = from(back, app(), read({ rows: { 1: 'other.example.com' }, next: 2n }))
    assert.deepEqual(domains(other), ['a.example.com', 'b.example.com', 'new.example.com', 'other.example.com'])
    assert.equal(new Set(other.served.mappings.map(({ key }) => key)).size, 4)
    const caught = from(other, app(), read({ rows: { 1: 'other.example.com', 7: 'g.example.com' }, next: 8n }))
    assert.equal(failure(caught), undefined)
    assert.deepEqual(domains(caught), ['other.example.com', 'g.example.com'])
  })

  test('TRUNCATE is a failure first', () => {
    const state = steps(read({ rows: ABC, next: 4n }), read({ rows: {}, next: 1n }))
    assert.match(failure(state) ?? '', /TRUNCATE/)
    assert.equal(domains(state).length, 3)
  })

  test('where the server gives no counter, that rule is silent', () => {
    assert.equal(failure(steps(read({ rows: ABC }), read({ rows: AB }))), undefined)
  })

  test('with Auto no plugin turns into another one or none by itself; one that comes does', () => {
    const gone = steps(read({ rows: AB }), read({ family: 'Core' }))
    assert.match(failure(gone) ?? '', /UltimateMultisite, and its table is gone.*spec.wordpress.mappings to Core/)
    assert.equal(domains(gone).length, 2)
    assert.equal(failure(from(gone, app(), read({ rows: AB }))), undefined)
    const turned = steps(
      read({ family: 'MuDomainMapping', rows: AB }),
      read({ family: 'Mercator', rows: { 1: 'a.example.com' } }),
    )
    assert.match(failure(turned) ?? '', /looks like Mercator.*DomainMapping/)
    assert.equal(domains(turned).length, 2)
    assert.equal(failure(steps(read({ family: 'Core' }), read({ rows: AB }))), undefined)
  })

  test('what was said decides: the same with the setting', () => {
    const core = app({ mappings: 'Core' })
    const state = from(reread(steps(read({ rows: AB }))), core, read({ family: 'Core' }))
    assert.equal(failure(state), undefined)
    assert.deepEqual(domains(state), [])
  })

  test('broken settings: the rule of before, additions still come, nothing goes', () => {
    const state = steps(
      read({ rows: AB, www: NEVER }),
      read({ rows: { 2: 'b.example.com', 3: 'c.example.com' }, www: 'a:1:{' }),
    )
    assert.match(failure(state) ?? '', /wp-ultimo_v2_settings/)
    assert.deepEqual(domains(state).sort(), ['a.example.com', 'b.example.com', 'c.example.com'])
    assert.deepEqual(new Set(state.served.mappings.map(({ www }) => www)), new Set(['Never']))
    const healed = from(state, app(), read({ rows: { 2: 'b.example.com' }, www: NEVER }))
    assert.equal(failure(healed), undefined)
    assert.deepEqual(domains(healed), ['b.example.com'])
  })

  test('broken settings at the first read cost the www rule alone; with www of the app they are not needed', () => {
    const look = read({ rows: AB, www: 'a:1:{' })
    const state = steps(look)
    assert.deepEqual(domains(state), ['a.example.com', 'b.example.com'])
    assert.deepEqual(new Set(state.served.mappings.map(({ www }) => www)), new Set(['Never']))
    assert.match(failure(state) ?? '', /broken/)
    const said = from(unread(app()), app({}, { www: 'Always' }), look)
    assert.equal(failure(said), undefined)
    assert.equal(said.served.mappings[0]?.www, undefined)
  })

  test('one network of several: its sites alone; one that is not there is a failure, and costs nothing', () => {
    const look = read({ rows: AB, www: NEVER, networks: ['network.example', 'second.example'] })
    const of = (network: string) => app({ network })
    assert.deepEqual(domains(from(unread(of('1')), of('1'), look)), ['a.example.com', 'b.example.com'])
    assert.deepEqual(domains(from(unread(of('2')), of('2'), look)), [])
    const state = from(unread(of('1')), of('1'), look)
    const gone = from(state, of('3'), look)
    assert.match(
      failure(gone) ?? '',
      /no network 3 in wp_site \(there are 1, 2\): check --wordpress-network or, in an object, spec\.wordpress\.network$/,
    )
    assert.deepEqual(domains(gone), domains(state))
  })

  test('while something is wrong no protected name is lost', () => {
    const state = steps(
      read({ www: NEVER, networks: ['network.example', 'second.example'] }),
      read({ www: 'x', networks: ['network.example'] }),
    )
    assert.ok(state.served.protectedHosts?.includes('second.example'))
  })
})
