import type { RunningDaemon } from './daemon.ts'
import type { Ground } from './ground.ts'
import type { Random } from './random.ts'

/** A place for a daemon, in which one runs after the other. */
export interface Slot {
  readonly daemon: RunningDaemon | undefined
  start(): void
}

/** The daemons of the world, kept running: one that ends by itself is started again. */
export interface Fleet {
  readonly slots: readonly Slot[]
  /** Starts one more that nobody sees to. */
  startAnother(): RunningDaemon
  /** One of the places. */
  pick(random: Random): Slot
  /** Sees to it that there is a living daemon in each place. */
  startAll(): void
  killAll(): void
}

const RESTART_MS = 10_000

/** Places for so many daemons, all of them empty. */
export function createFleet(ground: Pick<Ground, 'launch' | 'time'>, size: number): Fleet {
  let started = 0

  function createSlot(name: string): Slot {
    let daemon: RunningDaemon | undefined
    const slot = {
      get daemon() {
        return daemon
      },
      start() {
        const next = ground.launch(name, ++started)
        daemon = next
        void next.ended.then(() => {
          const byItself = next.life.alive && !next.told()
          next.life.kill()
          if (byItself) ground.time.after(RESTART_MS, () => void (daemon === next && slot.start()))
        })
      },
    }
    return slot
  }

  const slots = Array.from({ length: size }, (_, n) => createSlot(`daemon-${'abc'[n]}`))
  return {
    slots,
    startAnother: () => ground.launch('another', ++started),
    pick: (random) => random.pick(slots),
    startAll() {
      for (const slot of slots) if (slot.daemon?.life.alive !== true) slot.start()
    },
    killAll() {
      for (const { daemon } of slots) daemon?.life.kill()
    },
  }
}
