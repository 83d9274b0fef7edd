import { isMap, isScalar, isSeq } from 'yaml'
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

/** Every such scalar of an object, keys included; what Kubernetes itself writes (`status`, `managedFields`) is not judged. */
export function findAmbiguous(node: unknown, path: FieldPath = []): FieldFault[] {
  if (isScalar(node)) {
    const message = node.type === 'PLAIN' && node.source !== undefined ? ambiguity(node.source) : undefined
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
