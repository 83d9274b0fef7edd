import type { Document, YAMLError } from 'yaml'
import { inspect } from './document.ts'

/** Something that keeps a document from being read, and where: an offset in the text. */
export interface Trouble {
  offset: number
  /** A clause that follows the field's name, or `this`. */
  message: string
}

/** Aliases of one document, at most: each is looked up among all names before it. */
const MAX_ALIASES = 1000

/** What the parser says of a document, in words for users. */
export const syntaxTroubles = ({ errors, warnings }: Document.Parsed): Trouble[] =>
  [...errors, ...warnings].map(inWords)

/**
 * What the parser does not look for, or throws at: keys given twice, aliases without an anchor, too many of them. Throws a
 * `RangeError` where the document is nested too deeply.
 */
export function otherTroubles(document: Document.Parsed): Trouble[] {
  const { duplicates, loose, aliases } = inspect(document)
  const twice = duplicates.map(({ key, offset }) => ({
    offset,
    message: `is not valid YAML: the key ${key} is given twice in one map; keep one of the two`,
  }))
  if (twice.length > 0) return twice
  if (loose.length > 0) {
    return loose.map(({ alias, offset }) => ({
      offset,
      message: `is written as *${alias} without quotes, and no anchor &${alias} stands before it; a leading * needs quotes`,
    }))
  }
  if (aliases <= MAX_ALIASES) return []
  const message = `has ${aliases} aliases (*name), more than ${MAX_ALIASES}; write the values out`
  return [{ offset: document.contents?.range?.[0] ?? 0, message }]
}

function inWords({ code, message, pos }: YAMLError): Trouble {
  const words = (message.split('\n', 1)[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')
  const sign = leadingSign(code, words)
  const cure = sign === undefined ? '' : `; a leading ${sign} needs quotes`
  return { offset: pos[0], message: `is not valid YAML: ${words}${cure}` }
}

/** The sign of YAML that a text without quotes begins with, where that is the trouble. */
function leadingSign(code: YAMLError['code'], words: string): string | undefined {
  if (code === 'BAD_ALIAS') return '*'
  if (code === 'TAG_RESOLVE_FAILED') return '!'
  return code === 'BAD_SCALAR_START' ? / (\S)$/.exec(words)?.[1] : undefined
}
