/** What one answer and one line of a watch may have at most. An object has 1.5 MiB at most, as etcd takes no more. */
export const MOST_MIB = 8

const MOST_BYTES = MOST_MIB * 2 ** 20

const FIRST_BYTES = 4096

/** Gathers bytes in one place that doubles as it fills: many small pieces, each kept by itself, would take many times their size. */
export function createBytes() {
  let held = Buffer.alloc(0)
  let length = 0

  function grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, held.length * 2, FIRST_BYTES))
    held.copy(larger, 0, 0, length)
    held = larger
  }

  return {
    length: (): number => length,
    /** Adds a piece; false, and adds nothing, when that would be more than `MOST_MIB`. */
    add(piece: Uint8Array): boolean {
      const needed = length + piece.length
      if (needed > MOST_BYTES) return false
      if (needed > held.length) grow(needed)
      held.set(piece, length)
      length = needed
      return true
    },
    /** Hands over what was gathered, and begins anew. */
    take(): Uint8Array {
      const taken = held.subarray(0, length)
      held = Buffer.alloc(0)
      length = 0
      return taken
    },
  }
}
