/** One figure of a bench: what was measured, what it should be, and what the same machine took for something known. */
export interface Figure {
  name: string
  measured: number
  unit: string
  /** At most this, in the same unit; without one the figure is only reported. */
  goal?: number
  /** Taken in the same run, in the same unit, so that a figure can be judged on a machine that is slow or busy. */
  yardstick?: number
  /** What the yardstick is, or what else a reader has to know. */
  note?: string
}

/** A bench: gives its figures; throws when what it measures does not work at all. */
export interface Bench {
  name: string
  run(): Promise<Figure[]>
}

/** The value below which the given share (0 to 1) of the values lies; nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (found === undefined) throw new Error('nothing was measured')
  return found
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** Milliseconds that something takes. */
export function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** Calls the garbage collector, when the process lets it be called, so that it does not run in what is measured next. */
export function collectGarbage(): void {
  globalThis.gc?.()
}

/** Fails a bench whose subject does not do what is measured. */
export function ensure(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise)
}
