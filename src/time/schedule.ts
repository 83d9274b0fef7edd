import { createTask, parse, validateDetailed } from 'node-cron'
import { type Cancel, type Clock, systemClock } from './clock.ts'

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
    return `${quoted} is not a valid cron expression: write five fields, as in "*/5 * * * *" (minute, hour, day, month, weekday)`
  }
  const field = fault.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${quoted} is not a valid cron expression: ${JSON.stringify(fault.value ?? '')} cannot stand for the ${field}`
}

/** After a longer jump of the clock (in slots) a run is due without a search for one that was missed. */
const MOST_SLOTS = 1_440

/**
 * Calls `job` by a cron expression, in the time zone of the process, until the function that it gives is called. The wall clock may be
 * set at any time: forwards, what was missed is made up for by one run; back, what comes once more is run once more. An hour that
 * comes twice as summer time ends counts twice for a schedule of every hour, and once for one that names hours. A run that is still
 * under way when the next is due takes its place. What the job throws goes to `onError` alone.
 *
 * Throws for an expression that `validCron` refuses: check it where it comes in.
 */
export function schedule(
  expression: string,
  job: () => Promise<void> | undefined,
  { clock = systemClock, onError }: { clock?: Pick<Clock, 'now' | 'after'>; onError?(error: unknown): void },
): Cancel {
  const fault = validCron(expression)
  if (fault !== undefined) throw new Error(fault)
  /** Length of a slot, ms: runs are looked for minute by minute, or second by second where the expression has a field for them. */
  const unit = expression.trim().split(/\s+/).length === 6 ? 1_000 : 60_000
  // Only asked what matches: left to itself it takes an hour that comes twice for one, and walks through every minute of a jump.
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const task = createTask(expression, () => undefined, { timezone, suppressMissedWarning: true })
  const isDue = (slot: number): boolean => task.match(new Date(slot * unit))
  const namesHours = parse(expression).hour.length < 24
  let last = Math.floor(clock.now() / unit)
  /** The last run, as a clock on the wall showed it. */
  let lastLocal = Number.NEGATIVE_INFINITY
  let running = false
  let cancel: Cancel

  async function run(): Promise<void> {
    if (running) return
    running = true
    try {
      const work = job()
      // A job that gives no promise has ended by now.
      if (work !== undefined) await work
    } catch (error) {
      report(error)
    } finally {
      running = false
    }
  }

  function report(error: unknown): void {
    try {
      onError?.(error)
    } catch {
      // A report that fails must not end the process.
    }
  }

  function tick(): void {
    arm()
    const slot = Math.floor(clock.now() / unit)
    const due = dueSlot(isDue, last, slot)
    // Set back by somebody: it is not the hour that comes twice.
    if (slot < last) lastLocal = Number.NEGATIVE_INFINITY
    last = slot
    if (due === undefined) return
    const local = localTime(due * unit)
    if (namesHours && local <= lastLocal) return
    lastLocal = local
    void run()
  }

  /** Never longer than a slot, whatever the clock shows: it may be set meanwhile. */
  function arm(): void {
    cancel = clock.after(unit - (clock.now() % unit), tick)
  }

  arm()
  return () => cancel()
}

/** The latest slot after `last`, up to `now`, in which a run is due. */
function dueSlot(isDue: (slot: number) => boolean, last: number, now: number): number | undefined {
  if (now - last > MOST_SLOTS) return now
  // Set back: only what is now counts.
  const first = now < last ? now : last + 1
  for (let slot = now; slot >= first; slot--) if (isDue(slot)) return slot
  return undefined
}

/** As a clock on the wall shows it, ms: as summer time ends, an hour comes twice. */
const localTime = (at: number): number => at - new Date(at).getTimezoneOffset() * 60_000
