/**
 * Control characters (the start of a terminal's escape sequence, a line feed, a change of direction) as `\u001b`: a name from
 * outside may not paint the screen, forge a line or read backwards.
 */
export function visible(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The same for a text whose lines are ours. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n')
