import { Engine } from 'php-parser'
import { isTooDeep, nodesOf, type PhpNode } from './node.ts'

/** A file as far as it is read. */
export interface Parsed {
  statements: PhpNode[]
  /** Variables in statements whose syntax the parser does not know. */
  unread: ReadonlySet<string>
}

/** The version whose syntax is read, 8.5: it takes what is older as well. */
const NEWEST = 805

/** More statements than that, and it is not PHP. */
const MOST_SKIPPED = 20

/**
 * The statements of a PHP file, or what is wrong with one that PHP would not take. Syntax that the parser does not know is passed over
 * where it stands in a statement that defines, includes and ends nothing. Nothing is executed. Throws when it is nested too deeply.
 */
export function parsePhp(text: string): Parsed | { fault: { line: number; message: string } } {
  const engine = new Engine({ parser: { suppressErrors: false, version: NEWEST }, ast: { withPositions: true } })
  const unread = new Set<string>()
  let rest = text
  let first: unknown
  for (let skipped = 0; ; skipped++) {
    try {
      return { statements: nodesOf(engine.parseCode(rest, '').children), unread }
    } catch (error) {
      if (isTooDeep(error)) throw error
      first ??= error
      const without = skipped < MOST_SKIPPED ? withoutStatement(engine, rest, error, unread) : undefined
      if (without === undefined) return { fault: faultOf(first) }
      rest = without
    }
  }
}

function faultOf(error: unknown): { line: number; message: string } {
  const { lineNumber: line = 1, message = '' } = error as { lineNumber?: number; message?: string }
  // The parser's own words quote what stands there, and that may be a password: the sign that it misses is harmless.
  const sign = /expecting ('[^\w\s'"]{1,3}') on line \d+$/.exec(message)?.[1]
  const missing = sign === undefined ? '' : `, where ${sign} is missing`
  return { line, message: `is not PHP that can be read: look at line ${line}${missing}` }
}

/** What a statement must not have in it to be passed over: it may define, include, change, end or decide something. */
const MATTERS =
  /^(T_(CONST|INCLUDE|INCLUDE_ONCE|REQUIRE|REQUIRE_ONCE|EVAL|RETURN|EXIT|BREAK|CONTINUE|THROW|IF|ELSE|ELSEIF|FOR|FOREACH|WHILE|DO|SWITCH|GLOBAL|NAMESPACE|USE|INLINE_HTML|CLOSE_TAG|HALT_COMPILER)|define|config|extract|parse_str|putenv|call_user_func\w*|array_(map|walk))$/i

interface Token {
  kind: string
  text: string
  at: number
}

/** The text with blanks in place of the statement that the parser stumbled over; undefined where that may matter. */
function withoutStatement(engine: Engine, text: string, error: unknown, unread: Set<string>): string | undefined {
  const { lineNumber = 0, columnNumber = 0 } = error as { lineNumber?: number; columnNumber?: number }
  const lines = text.split('\n')
  const at = lines.slice(0, lineNumber - 1).join('\n').length + (lineNumber > 1 ? 1 : 0) + columnNumber
  const tokens = tokensOf(engine, text)
  const stumbled = tokens?.findIndex((token) => token.at >= at) ?? -1
  if (tokens === undefined || stumbled < 0) return undefined
  const begin = tokens.findLastIndex(({ kind }, index) => index < stumbled && /^([;{}]|T_OPEN_TAG)$/.test(kind)) + 1
  const end = endOf(tokens, begin)
  const statement = tokens.slice(begin, end)
  const own = new Set([...text.matchAll(/function\s+&?\s*(\w+)/gi)].map((found) => found[1]?.toLowerCase()))
  const isHarmless = statement.every(
    ({ kind, text: word }) => !MATTERS.test(kind) && !MATTERS.test(word) && !own.has(word.toLowerCase()),
  )
  const [from, to] = [tokens[begin]?.at, tokens[end]?.at]
  if (!isHarmless || end < 0 || from === undefined) return undefined
  for (const { kind, text: word } of statement) if (kind === 'T_VARIABLE') unread.add(word.slice(1))
  return text.slice(0, from) + text.slice(from, to).replaceAll(/[^\n]/g, ' ') + (to === undefined ? '' : text.slice(to))
}

/** Where the statement ends that begins there, behind its `;` or its last `}`; -1 where it does not end. */
function endOf(tokens: readonly Token[], begin: number): number {
  let depth = 0
  for (let index = begin; index < tokens.length; index++) {
    const kind = tokens[index]?.kind ?? ''
    if (/^([({[]|T_CURLY_OPEN|T_DOLLAR_OPEN_CURLY_BRACES)$/.test(kind)) depth++
    if (/^[)}\]]$/.test(kind) && --depth < 0) return -1
    if (depth === 0 && (kind === ';' || kind === '}')) return index + 1
  }
  return -1
}

function tokensOf(engine: Engine, text: string): Token[] | undefined {
  let at = 0
  try {
    return engine.tokenGetAll(text).map((token) => {
      const [kind = '', word = ''] = Array.isArray(token) ? token.map(String) : [String(token), String(token)]
      at += word.length
      return { kind, text: word, at: at - word.length }
    })
  } catch {
    return undefined
  }
}
