import { displayHost, type Host } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { leftoversOf } from '../plan/merge.ts'
import { calledAs, errLine, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import type { Setup } from '../setup/setup.ts'
import { unwantedHosts } from '../setup/unwanted.ts'
import type { Outcome } from '../status/outcome.ts'

/** Foreign hosts of an app that could go: protected names stay, and so does the `www.` of a host that is wanted. */
export function leftovers(
  { parts }: Pick<Setup['objects'], 'parts'>,
  { app, plan, desired }: Outcome,
): readonly Host[] {
  if (app === undefined || plan === undefined || desired === undefined) return []
  const protectedHosts = parts.flatMap((source) => source.mappingsOf(app).protectedHosts ?? [])
  return leftoversOf(plan.foreign, { app, desired, protectedHosts })
}

/** Hosts shown by name before the rest is only counted. */
const SHOWN = 10

/** What `plan` says of the foreign hosts of an app; empty where there are none. */
export function foreignLines(io: Io, objects: Pick<Setup['objects'], 'parts'>, outcome: Outcome): string[] {
  const hosts = leftovers(objects, outcome)
  if (hosts.length === 0) return []
  const more = hosts.length > SHOWN ? [`      and ${hosts.length - SHOWN} more`] : []
  return [
    '  foreign: on the app, no mapping asks for it, and it stays:',
    ...hosts.slice(0, SHOWN).map((host) => `      ${visible(displayHost(host))}`),
    ...more,
    `    to take over: ${calledAs(io)} import --foreign; to remove, with approval: ${removal(io, outcome)}`,
  ]
}

/** In a cluster, whose objects have a uid, a daemon leads and `apply` does not write beside it. */
const removal = (io: Io, { app }: Outcome): string =>
  app?.uid === undefined
    ? `${calledAs(io)} apply --remove-foreign HOST`
    : 'spec.policy Exclusive, which removes all of them'

/** A line for each host of `--remove-foreign` that is foreign on no app; true when there is one. */
export function sayNotForeign(io: Io, given: Given, outcomes: readonly Outcome[]): boolean {
  const going = new Set(
    outcomes.flatMap(({ plan, removed }) => [...removed, ...(plan ? [...plan.removals, ...plan.waiting] : [])]),
  )
  const strangers = [...unwantedHosts(given)].filter((host) => !going.has(host))
  for (const host of strangers) {
    errLine(
      io,
      `--remove-foreign ${displayHost(host)}: it is not foreign on any app, so nothing was done. \`${calledAs(io)} explain ${host}\` says what it is.`,
    )
  }
  return strangers.length > 0
}
