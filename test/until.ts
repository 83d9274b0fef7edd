import { setTimeout as sleep } from 'node:timers/promises'

/** Looks until `check` says yes, `ms` milliseconds at most; a failure of `check` counts as no. */
export async function until(what: string, check: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const end = performance.now() + ms
  let last: unknown
  while (performance.now() < end) {
    try {
      if (await check()) return
    } catch (error) {
      last = error
    }
    await sleep(20)
  }
  throw new Error(`not within ${ms} ms: ${what}`, { cause: last })
}
