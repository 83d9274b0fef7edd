/** Takes everything secret out of a text that came from outside. */
export type Scrub = (text: string) => string

// Shorter ones would be found in the middle of innocent words, and tell nobody anything.
const SHORTEST_SECRET = 4

/**
 * Makes a function that puts `[removed]` in the place of each of `secrets` and of anything that looks like key material: PEM blocks
 * (also cut short) and unbroken runs of more than 63 letters and digits, which is more than a label of a host name may have.
 * Blanks and control characters become single blanks, so that a foreign text stays on its line.
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length)
  return (text) => {
    let clean = text
    for (const secret of known) clean = clean.replaceAll(secret, '[removed]')
    return clean
      .replace(/-----BEGIN [\s\S]*?(-----END [A-Z ]*-----|$)/g, '[removed]')
      .replace(/[A-Za-z0-9+/=_]{64,}/g, '[removed]')
      .replace(/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]+/g, ' ')
      .trim()
  }
}

/** At most `length` characters of a text, with an ellipsis where it was cut; never half of a surrogate pair. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
