import type { App, AppSpec, Key } from '../../../src/api/objects.ts'
import { appDefaults } from '../../../src/api/schema.ts'
import type { DatabaseSource, MappingRead } from '../../../src/source/source.ts'
import type { Limits } from '../../../src/source/wordpress/connection.ts'
import { createWordpressSource } from '../../../src/source/wordpress/wordpress.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { until } from './until.ts'

export type WordpressSpec = NonNullable<AppSpec['wordpress']>

/** The app `wordpress/network` with a database. */
export function app(wordpress: Partial<WordpressSpec> = {}, spec: Partial<AppSpec> = {}): App {
  return {
    key: 'wordpress/network',
    namespace: 'wordpress',
    name: 'network',
    generation: 1,
    place: 'test',
    labels: {},
    annotations: {},
    spec: {
      ...(appDefaults('AAAAAAAAAAAAAAAA') as AppSpec),
      ...spec,
      wordpress: {
        connectionSecretRef: { name: 'wp-db', key: 'url' },
        tablePrefix: 'wp_',
        mappings: 'Auto',
        includeSites: false,
        pollInterval: 20,
        ...wordpress,
      },
    },
  }
}

export interface World {
  source: DatabaseSource
  /** What is served for the app as it is now. */
  read(): MappingRead
  domains(): string[]
  failure(): string | undefined
  /** Keys of apps, one entry for each call. */
  changes: Key[]
  /** Every line of the log as text. */
  lines: string[]
  follow(app: App): void
  /** Waits until a whole new look began after this call and came to its end. */
  looked(): Promise<void>
  until(what: string, check: () => boolean | Promise<boolean>): Promise<void>
}

interface Context {
  after(work: () => Promise<void>): void
}

/** A source with one app, started. `url` is asked at every look. */
export async function world(
  t: Context,
  url: () => string | Promise<string>,
  {
    given = app(),
    limits = {},
    steady,
    defined,
  }: { given?: App; limits?: Partial<Limits>; steady?: () => number; defined?: readonly string[] } = {},
): Promise<World> {
  let current = given
  let looks = 0
  const changes: Key[] = []
  const lines: string[] = []
  const source = createWordpressSource({
    async connectionUrl() {
      looks++
      return { url: await url(), origin: 'Secret wordpress/wp-db key url', defined }
    },
    log: (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
    random: () => 0,
    limits: { connect: 2000, statement: 2000, whole: 5000, ...limits },
    ...(steady === undefined ? {} : { clock: { ...systemClock, steady } }),
  })
  t.after(() => source.stop())
  source.follow([current])
  await source.start((apps) => changes.push(...apps))
  const read = (): MappingRead => source.mappingsOf(current)
  return {
    source,
    read,
    domains: () => read().mappings.map(({ domain }) => domain),
    failure: () => read().failure?.message,
    changes,
    lines,
    follow(next) {
      current = next
      source.follow([next])
    },
    async looked() {
      // The one that is under way may have read before; the one after it begins when that one has ended.
      const target = looks + 2
      await until('another look', () => looks >= target)
    },
    until: (what, check) => until(what, check),
  }
}
