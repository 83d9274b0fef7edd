import type { Clock } from '../../src/time/clock.ts'
import type { Random } from './random.ts'
import type { WorldTime } from './world-time.ts'

/** One process of the world, from its start to its end. What it asks of the outside goes through here. */
export interface Life {
  readonly name: string
  readonly alive: boolean
  readonly clock: Clock
  readonly random: Random
  /** Calls back inside of the process: not while it stands still (SIGSTOP), never once it is dead. */
  deliver(fire: () => void): void
  /** Something outside that takes its time: what comes of it reaches the process only while it lives. */
  ask<Result>(work: () => Promise<Result>): Promise<Result>
  /** Milliseconds that it has run: since its start, but for the time that it stood still. */
  awake(): number
  /** SIGKILL: nothing of it happens any more. */
  kill(): void
  /** SIGSTOP and SIGCONT. */
  stop(): void
  goOn(): void
}

/** What a process sees of the machine that it runs on: somebody may set the wall clock. */
export interface Machine {
  readonly time: WorldTime
  /** Epoch milliseconds when the world began. */
  readonly epoch: number
  /** Milliseconds by which the wall clock is set off. */
  offset: number
}

/** Starts a life on a machine. */
export function createLife(name: string, machine: Machine, random: Random): Life {
  const { time } = machine
  const begun = time.now()
  let alive = true
  let standingSince: number | undefined
  let stood = 0
  let held: (() => void)[] = []

  function deliver(fire: () => void): void {
    if (!alive) return
    if (standingSince !== undefined) held.push(fire)
    else fire()
  }

  const after: Clock['after'] = (ms, fire) => time.after(Math.max(1, ms), () => deliver(fire))

  const clock: Clock = {
    now: () => Math.floor(machine.epoch + machine.offset + time.now()),
    steady: () => time.now() - begun,
    after,
    turn: () => new Promise((resolve) => time.after(0, () => deliver(resolve))),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const abort = (): void => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      }),
  }

  return {
    name,
    clock,
    random,
    get alive() {
      return alive
    },
    deliver,
    ask: (work) =>
      new Promise((resolve, reject) => {
        if (!alive) return
        work().then(
          (result) => deliver(() => resolve(result)),
          (error: unknown) => deliver(() => reject(error)),
        )
      }),
    kill() {
      alive = false
      held = []
    },
    awake: () => (standingSince ?? time.now()) - begun - stood,
    stop() {
      standingSince ??= time.now()
    },
    goOn() {
      if (standingSince !== undefined) stood += time.now() - standingSince
      standingSince = undefined
      const due = held
      held = []
      for (const fire of due) deliver(fire)
    },
  }
}
