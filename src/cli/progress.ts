import ora from 'ora'
import { visible } from '../log/visible.ts'
import type { Io } from '../setup/io.ts'
import { systemClock } from '../time/clock.ts'

/** Shows that something is under way: a spinner on a terminal, a line elsewhere, nothing for what ends within a second. */
interface Progress {
  say(text: string): void
  stop(): void
}

const PATIENCE_MS = 1_000

/** Begins to show progress after a second. Writes to standard error alone. */
export function startProgress(io: Io, text: string): Progress {
  let current = visible(text)
  let spinner: ReturnType<typeof ora> | undefined
  let shown = false
  const cancel = systemClock.after(PATIENCE_MS, () => {
    shown = true
    if (io.errIsTerminal)
      spinner = ora({ text: current, discardStdin: false, color: io.colour ? 'cyan' : false }).start()
    else io.err(`${current}\n`)
  })
  return {
    say(words) {
      const next = visible(words)
      if (next === current) return
      current = next
      if (spinner !== undefined) spinner.text = next
      else if (shown) io.err(`${next}\n`)
    },
    stop() {
      cancel()
      spinner?.stop()
    },
  }
}
