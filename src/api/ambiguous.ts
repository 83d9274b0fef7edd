import { isMap, isScalar, isSeq, type Scalar } from 'yaml'
import type { FieldFault, FieldPath } from './faults.ts'

/** How a plain scalar reads in YAML 1.1 (kubectl, most older tools), where that is not how it reads in YAML 1.2. */
const READINGS: [RegExp, string, string][] = [
  [/^(?:y|yes|on|Y|Yes|YES|On|ON)$/, 'true', 'write true, or quote it if it is text'],
  [/^(?:n|no|off|N|No|NO|Off|OFF)$/, 'false', 'write false, or quote it if it is text'],
  [/^[-+]?0[0-7_]+$/, 'an octal number', 'quote it if it is text, else write it without the leading zero'],
  [/^[-+]?0o[0-7]+$/, 'text', 'quote it if it is text, else write a decimal number'],
  [/^[-+]?0b[01_]+$/, 'a binary number', 'quote it if it is text, else write a decimal number'],
  [/^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, 'a number to the base of 60', 'quote it'],
  [/^[-+]?(?:0x)?[0-9a-fA-F]+(?:_[0-9a-fA-F_]*)+$/, 'a number', 'quote it if it is text, else write it without "_"'],
]

/**
 * What is wrong with a plain (unquoted) scalar that YAML 1.1 and YAML 1.2 read differently, with the cure; undefined for all
 * others. The two kinds of reader would disagree about one and the same file.
 */
function ambiguity(source: string): string | undefined {
  for (const [pattern, reading, cure] of READINGS) {
    if (!pattern.test(source)) continue
    if (reading === 'a number' && !/^[-+]?(?:0x|[0-9])[0-9a-fA-F_]*$/.test(source)) continue
    return `is written as ${source} without quotes: ${reading} in YAML 1.1, another value in YAML 1.2; ${cure}`
  }
  return undefined
}

/** An anchor with nothing behind it, which was meant as text. */
function anchorAlone({ anchor, source }: Scalar): string | undefined {
  if (anchor === undefined || source !== '') return undefined
  return `is written as &${anchor} without quotes, an anchor in YAML with nothing behind it; a leading & needs quotes`
}

/** A fault of a number names it as it stands in the file: 72225e2 is seldom meant as 7222500. */
export function asWritten({ path, message }: FieldFault, node: unknown): FieldFault {
  if (!isScalar(node) || typeof node.value !== 'number' || node.source === undefined) return { path, message }
  return { path, message: message.replace(`the number ${node.value}`, () => `the number ${node.source}`) }
}

/** Every such scalar of an object, keys included; what Kubernetes itself writes (`status`, `managedFields`) is not judged. */
export function findAmbiguous(node: unknown, path: FieldPath = []): FieldFault[] {
  if (isScalar(node)) {
    const message =
      anchorAlone(node) ?? (node.type === 'PLAIN' && node.source !== undefined ? ambiguity(node.source) : undefined)
    return message === undefined ? [] : [{ path, message }]
  }
  if (isSeq(node)) return node.items.flatMap((item, index) => findAmbiguous(item, [...path, index]))
  if (!isMap(node)) return []
  return node.items.flatMap((pair) => {
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
    if (key === 'managedFields' || (key === 'status' && path.length === 0)) return []
    const inner = [...path, key]
    return [...findAmbiguous(pair.key, inner), ...findAmbiguous(pair.value, inner)]
  })
}
