const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * The elements of the list in `{"data": [ … ]}`, each as the text that it is written in, one after another, so that a long list need not
 * be parsed at one go. What an element holds is not looked at. Throws a `SyntaxError` when there is no such list or what surrounds it is
 * not JSON, and a `RangeError` when an element, or what surrounds the list, is longer than `longest` characters.
 */
export function* elementsOf(text: string, longest: number): Generator<string> {
  const list = findList(text, longest)
  let from = list.start
  for (let first = true; ; first = false) {
    const end = endOfPiece(text, from, longest)
    const closes = text.charCodeAt(end) === CLOSE_LIST
    const element = text.slice(from, end)
    if (!(first && closes && element.trim() === '')) yield element
    from = end + 1
    if (closes) break
    if (text.charCodeAt(end) !== COMMA) throw new SyntaxError('the list is closed by another bracket')
  }
  if (text.length - from > longest) throw new RangeError('a list that is followed by a long text')
  // Another `data` would be another list, and nobody could tell which one is meant.
  const others: unknown = JSON.parse(`${text.slice(0, list.member)}"":0${text.slice(from)}`)
  if (Object.hasOwn(others as object, 'data')) throw new SyntaxError('there are two lists')
}

/** Where the member `data` of the outermost object begins, and where its first element may. */
function findList(text: string, longest: number): { member: number; start: number } {
  let member = /^\s{0,99}\{/.exec(text)?.[0].length ?? text.length
  while (member < text.length) {
    const data = /\s{0,99}"data"\s{0,99}:\s{0,99}\[/y
    data.lastIndex = member
    if (data.test(text)) return { member, start: data.lastIndex }
    const end = endOfPiece(text, member, longest)
    if (text.charCodeAt(end) !== COMMA) break
    member = end + 1
  }
  throw new SyntaxError('there is no list')
}

/** Where the comma or the bracket stands that ends the element, or the member, which begins at `from`. */
function endOfPiece(text: string, from: number, longest: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = endOfString(text, at)
    else if (character === OPEN_LIST || character === OPEN_OBJECT) depth++
    else if (character === CLOSE_LIST || character === CLOSE_OBJECT) {
      if (depth === 0) return at
      depth--
    } else if (character === COMMA && depth === 0) return at
    if (at - from > longest) throw new RangeError(`a list with an element of more than ${longest} characters`)
  }
  throw new SyntaxError('the list breaks off')
}

/** Where the string ends that begins at `start`; the length of the text when it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
  }
  return text.length
}
