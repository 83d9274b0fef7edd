/** So many different texts are shared at the most; then it begins again. */
const SHARED = 10_000

/** Gives one string for all that are equal: thousands of objects name the same app, and each would keep a text of its own. */
export function sharing(): (text: string) => string {
  const texts = new Map<string, string>()
  return (text) => {
    const known = texts.get(text)
    if (known !== undefined) return known
    if (texts.size >= SHARED) texts.clear()
    texts.set(text, text)
    return text
  }
}
