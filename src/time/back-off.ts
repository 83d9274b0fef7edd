/** How pauses grow: `first` after the first failure in a row, twice as long after each further one, `longest` at the most; ms. */
export interface BackOff {
  first: number
  longest: number
  /** Share of a pause that chance takes off, 0 to 1, so that those who failed together do not return together. */
  jitter?: number
}

/** Every pause is the longest by then; a power of two without a bound would end as infinity. */
const MOST_DOUBLINGS = 40

/**
 * The pause after so many failures in a row (from 1), ms.
 * @param random gives [0, 1); needed only with a jitter
 */
export function backOff({ first, longest, jitter = 0 }: BackOff, failures: number, random = (): number => 0): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, MOST_DOUBLINGS)
  return Math.min(first * 2 ** doublings, longest) * (1 - jitter * random())
}
