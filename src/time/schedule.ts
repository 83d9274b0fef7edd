import { createTask, validateDetailed } from 'node-cron'
import { type Cancel, type Clock, every, systemClock } from './clock.ts'

/** How a scheduled job is called, and who hears of its failures. */
export interface ScheduleOptions {
  name: string
  /** Tells when the wall clock was set; the system's where none is given. */
  clock?: Clock
  /** Gets what the job threw. The schedule goes on either way. */
  onError?(error: unknown): void
}

/**
 * What is wrong with a cron expression, as a clause for a message; undefined when it is good. Five fields, or six with
 * seconds in front. Total: never throws.
 */
export function validCron(expression: string): string | undefined {
  const { valid, errors } = validateDetailed(expression)
  if (valid) return undefined
  const fault = errors[0]
  const quoted = JSON.stringify(expression)
  if (fault === undefined || fault.field === 'expression') {
    return `${quoted} is no cron expression: write five fields, as in "*/5 * * * *" (minute, hour, day, month, weekday)`
  }
  const field = fault.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${quoted} is no cron expression: ${JSON.stringify(fault.value ?? '')} cannot stand for the ${field}`
}

/**
 * Calls `job` by a cron expression, in the time zone of the process, until the function that it gives is called. A run that
 * is still under way when the next is due takes its place. Nothing that the job throws gets out.
 *
 * Throws for an expression that `validCron` refuses: check it where it comes in.
 */
export function schedule(expression: string, job: () => void | Promise<void>, options: ScheduleOptions): Cancel {
  const fault = validCron(expression)
  if (fault !== undefined) throw new Error(fault)
  const { clock = systemClock } = options
  const report = (error: unknown): void => {
    try {
      options.onError?.(error)
    } catch {
      // A fault in telling of a fault must not end the process.
    }
  }
  const run = async (): Promise<void> => {
    try {
      await job()
    } catch (error) {
      report(error)
    }
  }
  const begin = () => {
    const task = createTask(expression, run, {
      name: options.name,
      noOverlap: true,
      // A sweep that came too late while the machine slept is made up for by the next one.
      suppressMissedWarning: true,
      logger: { info: ignore, warn: ignore, debug: ignore, error: report },
    })
    task.start()
    return task
  }
  let task = begin()
  const stopWatching = onClockSetBack(clock, () => {
    task.destroy()
    task = begin()
  })
  return () => {
    stopWatching()
    task.destroy()
  }
}

const ignore = (): void => {}

/** How often the clock is looked at, and what is no more than a correction; ms. */
const LOOK_EVERY = 1_000
const CORRECTION = 500

/** Calls `then` when the wall clock was set back: the task would wait until it shows again the time that was next. Gives a function that ends it. */
function onClockSetBack(clock: Clock, then: () => void): Cancel {
  const offset = (): number => clock.now() - clock.steady()
  let last = offset()
  const look = (): void => {
    const now = offset()
    if (now < last - CORRECTION) then()
    last = now
  }
  return every(clock, LOOK_EVERY, look, { idle: true })
}
