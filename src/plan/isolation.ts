import type { Host } from '../domain/host.ts'

/** Writes that isolation may spend in one round: each accepted one reconfigures a live server. */
export const MAX_PROBES = 12

/** Additions that are tried together. */
interface Group {
  readonly hosts: readonly Host[]
  /** `guilty`: known to hold a bad name. `sibling`: guilty as soon as the group before it is accepted. */
  readonly known?: 'guilty' | 'sibling'
}

/** Where isolation stands: which additions are in, which are out, and which groups are still to be tried. */
export interface Isolation {
  readonly accepted: readonly Host[]
  readonly rejected: ReadonlyMap<Host, string>
  readonly open: readonly Group[]
  readonly probes: number
}

/** Starts from a rejected list: the names that the API's words quote are tried last and alone, the rest first and together. */
export function startIsolation(additions: readonly Host[], words: string): Isolation {
  const quoted = additions.filter((host) => quotes(words, host))
  const rest = additions.filter((host) => !quoted.includes(host))
  if (quoted.length === 0) {
    return { accepted: [], rejected: new Map(), open: [{ hosts: additions, known: 'guilty' }], probes: 0 }
  }
  const alone = quoted.map((host): Group => ({ hosts: [host], known: 'guilty' }))
  return { accepted: [], rejected: new Map(), open: rest.length === 0 ? alone : [{ hosts: rest }, ...alone], probes: 0 }
}

function quotes(words: string, host: Host): boolean {
  const text = words.toLowerCase()
  const at = text.indexOf(host)
  if (at < 0) return false
  const edge = (character: string | undefined): boolean => character === undefined || !/[a-z0-9.-]/.test(character)
  const after = text[at + host.length]
  const sentenceEnd = after === '.' && edge(text[at + host.length + 1])
  return edge(text[at - 1]) && (edge(after) || sentenceEnd)
}

/**
 * What to probe next: the additions to write on top of the base and what was accepted; undefined when nothing is open or the
 * probes are spent. A group known to be guilty is split without a probe.
 */
export function nextProbe(state: Isolation): { state: Isolation; group: readonly Host[] } | undefined {
  let current = state
  for (;;) {
    const [head, ...others] = current.open
    if (head === undefined || current.probes >= MAX_PROBES) return undefined
    if (head.known !== 'guilty' || head.hosts.length === 1) return { state: current, group: head.hosts }
    const half = Math.ceil(head.hosts.length / 2)
    const left: Group = { hosts: head.hosts.slice(0, half) }
    const right: Group = { hosts: head.hosts.slice(half), known: 'sibling' }
    current = { ...current, open: [left, right, ...others] }
  }
}

/** Takes in how the probe of the first open group went; `words` of the API when it was rejected. */
export function probed(state: Isolation, group: readonly Host[], words: string | undefined): Isolation {
  const [, next, ...others] = state.open
  const probes = state.probes + 1
  if (words === undefined) {
    const rest = next?.known === 'sibling' ? [{ ...next, known: 'guilty' as const }, ...others] : state.open.slice(1)
    return { ...state, accepted: [...state.accepted, ...group], open: rest, probes }
  }
  // The bad one is in this group, so the sibling is as unknown as the other groups: all of those are tried together, last.
  const rest = state.open.slice(1).map((each): Group => (each.known === 'sibling' ? { hosts: each.hosts } : each))
  const bad = group.length === 1 ? group : group.filter((host) => quotes(words, host))
  const rejected = new Map([...state.rejected, ...bad.map((host) => [host, words] as const)])
  const left = group.filter((host) => !bad.includes(host))
  const split: Group[] =
    left.length === 0 ? [] : [bad.length === 0 ? { hosts: left, known: 'guilty' } : { hosts: left }]
  return { ...state, rejected, open: mergeUnknown([...split, ...rest]), probes }
}

function mergeUnknown(groups: readonly Group[]): Group[] {
  const unknown = groups.filter((each) => each.known === undefined).flatMap((each) => [...each.hosts])
  const known = groups.filter((each) => each.known !== undefined)
  return unknown.length === 0 ? known : [...known, { hosts: unknown }]
}

/** Additions that no probe decided: they wait for the next round. */
export const undecided = (state: Isolation): Host[] => state.open.flatMap((each) => [...each.hosts])
