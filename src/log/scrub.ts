import { createTextRedactor, REDACTED, type RedactText } from './redact.ts'

/**
 * Makes a function that takes everything secret out of a text that came from outside: `secrets`, credentials by their shape, and what
 * looks like key material, that is PEM blocks (also cut short) and unbroken runs of more than 63 letters and digits, which is more than
 * a label of a host name may have. Blanks and control characters become single blanks, so that a foreign text stays on its line.
 */
export function createScrub(secrets: readonly string[]): RedactText {
  const redact = createTextRedactor(secrets)
  return (text) =>
    redact(text)
      .replace(/-----BEGIN [\s\S]*?(-----END [A-Z ]*-----|$)/g, REDACTED)
      .replace(/[A-Za-z0-9+/=_]{64,}/g, REDACTED)
      .replace(/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]+/g, ' ')
      .trim()
}

/** At most `length` characters of a text, with an ellipsis where it was cut; never half of a surrogate pair. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
