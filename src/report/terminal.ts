/** Colours by what they mean. */
export type Paint = (as: 'ok' | 'work' | 'bad' | 'quiet' | 'strong', text: string) => string

const CODES = { ok: 32, work: 33, bad: 31, quiet: 2, strong: 1 } as const

/** A painter for a terminal, or one that leaves everything plain. */
export function painter(colour: boolean): Paint {
  return colour ? (as, text) => (text === '' ? '' : `\x1b[${CODES[as]}m${text}\x1b[0m`) : (_as, text) => text
}

/** A cell of a table: its text, and how to paint it once it was padded. */
export interface Cell {
  text: string
  as?: Parameters<Paint>[0]
}

/**
 * Columns side by side, two spaces between them; the last one is cut to what `width` leaves. Columns that are empty in every row
 * are left out, and nothing is left of a table without rows.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  width: number,
  paint: Paint,
): string[] {
  if (rows.length === 0) return []
  const used = head.map((_, column) => rows.some((row) => row[column]?.text))
  const heads = head.map((text): Cell => ({ text, as: 'quiet' }))
  const kept = [heads, ...rows].map((row) => row.filter((_, column) => used[column]))
  const widths = heads.map((_, column) => Math.max(...kept.map((row) => [...(row[column]?.text ?? '')].length)))
  return kept.map((row) => {
    let left = width
    const cells = row.map(({ text, as }, column) => {
      const last = column === row.length - 1
      const fit = last ? cutTo(text, Math.max(8, left)) : text
      const padding = last ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...fit].length) + 2)
      left -= [...fit].length + padding.length
      return (as ? paint(as, fit) : fit) + padding
    })
    return cells.join('').trimEnd()
  })
}

/** The text in lines of at most `width` characters, broken at spaces, each with `indent` before it. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, indent + line]
}

function cutTo(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
