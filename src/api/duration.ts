/** A Go-style duration of hours, minutes, seconds and milliseconds, as the CRD's pattern has it: `1h30m`, `500ms`, `0`. */
export const DURATION_PATTERN = /^(?:0|(?:[0-9]+(?:\.[0-9]+)?(?:ms|h|m|s))+)$/

const UNIT_MS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Milliseconds of a Go-style duration (`1h30m` is 5400000), rounded; undefined when the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(ms|h|m|s)/g))
    sum += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
  return Math.round(sum)
}

/** Milliseconds as a Go-style duration: 5400000 is `1h30m`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms))
  let text = ''
  for (const [unit, size] of Object.entries(UNIT_MS)) {
    const amount = Math.floor(rest / size)
    if (amount > 0) text += `${amount}${unit}`
    rest -= amount * size
  }
  return text || '0s'
}
