/** The day of a time (epoch ms) in UTC, as `2026-11-30`. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
