/** Longer text is cut. */
const SHOWN = 80

/** Text that strangers wrote (a DNS record, a certificate), made fit for a message: printable ASCII, and short. */
export function plain(text: string): string {
  const shown = text.slice(0, SHOWN).replace(/[^\x20-\x7e]/g, '?')
  return text.length > SHOWN ? `${shown}…` : shown
}
