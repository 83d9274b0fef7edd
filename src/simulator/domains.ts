/** What the API takes as the list of an app's domains, and what becomes of it (pure). */

import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'
import { byKey } from '../domain/by-key.ts'
import type { Behaviours } from './options.ts'

/** Judges the `domains` of a request against the app's list: gives it as it will be stored, or the API's words for refusing it. */
export function judgeDomains(
  given: unknown,
  current: readonly string[],
  behaviours: Behaviours,
): { domains: string[] } | { refused: string } {
  if (!isListOfStrings(given)) return { refused: 'domains must be an array of strings.' }
  if (given.length === 0 && behaviours.emptyList === 'reject') return { refused: 'domains must not be empty.' }

  const present = new Set(behaviours.presentNamesPass ? current : [])
  const bad: string[] = []
  const taken = new Set<string>()
  for (const name of given) {
    const stored = present.has(name) ? name : storedForm(name, behaviours)
    if (stored === undefined || isRefused(stored, behaviours.rejectedNames)) bad.push(name)
    else if (taken.has(stored) && behaviours.duplicates === 'reject') {
      return { refused: `The domain ${JSON.stringify(name)} is listed more than once.` }
    } else taken.add(stored)
  }
  if (bad.length > 0) return { refused: wordsFor(bad, behaviours.quotedNames) }
  if (taken.size > behaviours.maxDomains && taken.size >= current.length) {
    return { refused: `An app can have at most ${behaviours.maxDomains} domains.` }
  }
  return { domains: [...taken] }
}

const isListOfStrings = (given: unknown): given is string[] =>
  Array.isArray(given) && given.every((item) => typeof item === 'string')

/** Puts a list into the order in which it is stored or, with a `salt` of its own for each read, shown. */
export function inOrder(names: readonly string[], order: Behaviours['order'], salt = ''): string[] {
  if (order === 'kept') return [...names]
  if (order === 'sorted') return [...names].sort()
  const digest = (name: string) => createHash('sha256').update(salt).update(name).digest('base64')
  const keyed = names.map((name) => ({ name, key: digest(name) })).sort(byKey)
  return keyed.map(({ name }) => name)
}

/** The `www.` names that appear by themselves when `written` replaces `current`; none that would not fit. */
export function appearingWww(written: readonly string[], current: readonly string[], room: number): string[] {
  const before = new Set(current)
  const after = new Set(written)
  return written
    .filter((name) => !before.has(name) && !after.has(`www.${name}`))
    .filter((name) => !name.startsWith('www.') && !name.startsWith('*.') && !isIPv4(name))
    .map((name) => `www.${name}`)
    .slice(0, Math.max(0, room - written.length))
}

/** A name in the form in which the API keeps it; undefined when it is not valid. */
function storedForm(given: string, behaviours: Behaviours): string | undefined {
  let name = given
  if (/[^\x20-\x7e]/.test(name)) {
    if (behaviours.idn === 'reject') return undefined
    name = domainToASCII(name)
  }
  if (/[A-Z]/.test(name)) {
    if (behaviours.upperCase === 'reject') return undefined
    if (behaviours.upperCase === 'lower') name = name.toLowerCase()
  }
  return isIPv4(name) || isHostName(name.startsWith('*.') ? name.slice(2) : name) ? name : undefined
}

function isHostName(name: string): boolean {
  const labels = name.split('.')
  if (name.length > 253 || labels.length < 2) return false
  if (/^\d+$/.test(labels.at(-1)!)) return false
  return labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))
}

function isRefused(name: string, rejectedNames: readonly string[]): boolean {
  return rejectedNames.some((entry) => {
    if (entry.length > 2 && entry.startsWith('/') && entry.endsWith('/'))
      return new RegExp(entry.slice(1, -1)).test(name)
    if (entry.startsWith('.')) return name.endsWith(entry) || name === entry.slice(1)
    return name === entry
  })
}

function wordsFor(bad: readonly string[], quoted: Behaviours['quotedNames']): string {
  if (quoted === 'none') return 'One or more of the domains are invalid.'
  if (quoted === 'first' || bad.length === 1) return `The domain ${JSON.stringify(bad[0])} is invalid.`
  return `The domains ${bad.map((name) => JSON.stringify(name)).join(', ')} are invalid.`
}
