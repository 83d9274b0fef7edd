import { createTask, parse, validateDetailed } from 'node-cron'
import { type Cancel, type Clock, systemClock } from './clock.ts'

/** The clock of a scheduled job, and what gets its failures. */
export interface ScheduleOptions {
  /** The system's where none is given. */
  clock?: Pick<Clock, 'now' | 'after'>
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
    return `${quoted} is not a valid cron expression: write five fields, as in "*/5 * * * *" (minute, hour, day, month, weekday)`
  }
  const field = fault.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${quoted} is not a valid cron expression: ${JSON.stringify(fault.value ?? '')} cannot stand for the ${field}`
}

/** A cron expression, minute by minute, or second by second where it has a field for them. */
interface Cron {
  /** Length of a slot; ms. */
  unit: number
  /** Whether a run is due in the slot that begins at that time (epoch ms), in the time zone of the process. */
  isDue(at: number): boolean
  /** It says at which hours. */
  namesHours: boolean
}

function readCron(expression: string): Cron {
  const unit = expression.trim().split(/\s+/).length === 6 ? 1_000 : 60_000
  // Only asked what matches: left to itself it takes an hour that comes twice for one, and walks through every minute of a jump.
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const task = createTask(expression, () => undefined, { timezone, suppressMissedWarning: true })
  return { unit, isDue: (at) => task.match(new Date(at)), namesHours: parse(expression).hour.length < 24 }
}

/** After a longer jump of the clock (in slots) a run is due without a search for one that was missed. */
const MOST_SLOTS = 1_440

/**
 * Calls `job` by a cron expression, in the time zone of the process, until the function that it gives is called. The wall clock may be
 * set at any time: forwards, what was missed is made up for by one run; back, what comes once more is run once more. An hour that
 * comes twice as summer time ends counts twice for a schedule of every hour, and once for one that names hours. A run that is still
 * under way when the next is due takes its place. Nothing that the job throws gets out.
 *
 * Throws for an expression that `validCron` refuses: check it where it comes in.
 */
export function schedule(expression: string, job: () => Promise<void> | undefined, options: ScheduleOptions): Cancel {
  const fault = validCron(expression)
  if (fault !== undefined) throw new Error(fault)
  const { clock = systemClock } = options
  const cron = readCron(expression)
  let last = Math.floor(clock.now() / cron.unit)
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
      options.onError?.(error)
    } catch {
      // A report that fails must not end the process.
    }
  }

  function tick(): void {
    arm()
    const slot = Math.floor(clock.now() / cron.unit)
    const due = dueSlot(cron, last, slot)
    // Set back by somebody: it is not the hour that comes twice.
    if (slot < last) lastLocal = Number.NEGATIVE_INFINITY
    last = slot
    if (due === undefined) return
    const local = localTime(due * cron.unit)
    if (cron.namesHours && local <= lastLocal) return
    lastLocal = local
    void run()
  }

  /** Never longer than a slot, whatever the clock shows: it may be set meanwhile. */
  function arm(): void {
    cancel = clock.after(cron.unit - (clock.now() % cron.unit), tick)
  }

  arm()
  return () => cancel()
}

/** The latest slot after `last`, up to `now`, in which a run is due. */
function dueSlot({ unit, isDue }: Cron, last: number, now: number): number | undefined {
  if (now - last > MOST_SLOTS) return now
  // Set back: only what is now counts.
  const first = now < last ? now : last + 1
  for (let slot = now; slot >= first; slot--) if (isDue(slot * unit)) return slot
  return undefined
}

/** As a clock on the wall shows it, ms: as summer time ends, an hour comes twice. */
const localTime = (at: number): number => at - new Date(at).getTimezoneOffset() * 60_000
