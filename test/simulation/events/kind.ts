import type { DeclaredApp } from '../declared.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'

/** One kind of thing that can happen to the world. `happen` gives what to tell of it; undefined: there was nothing to do. */
export interface EventKind {
  name: string
  happen(world: World, random: Random): string | undefined
}

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

const NAMES = 24

/** A name that users map. */
export const userName = (random: Random): string => `u${random.whole(1, NAMES)}.example.com`
export const anApp = ({ declared }: World, random: Random): DeclaredApp => random.pick([...declared.apps.values()])
