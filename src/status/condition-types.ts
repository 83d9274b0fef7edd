import type { Kind } from '../api/schema.ts'

/** The kinds that carry it. `column`: its heading in tables of mappings; `printed`: `kubectl get` has it too. Apps have neither. */
type Carriers =
  | { kinds: readonly ['DomainMapping'] | typeof BOTH; column?: string; printed?: true }
  | { kinds: readonly ['ServerPilotApp']; column?: never; printed?: never }

/** What the rest of the program has to know of one type of condition. */
type ConditionType = Carriers & {
  /**
   * How it bears on `Ready`. `required`: Ready needs `True`. `checked`: `False` denies Ready; `Unknown` denies it only while a
   * first result is on its way (`Progressing`), so that neither a check that is off nor a resolver that fails takes Ready away
   * from an app that works. `computed`: worked out of the others by `summarize`; no step sets it.
   */
  weight: 'required' | 'checked' | 'computed'
}

const BOTH = ['ServerPilotApp', 'DomainMapping'] as const

/**
 * Every type of condition: weighing, schema, columns and page derive from it. The order is that of the list in an object, and the
 * one in which a fault is named: the earlier ones are the cause of the later. All but the computed ones are good when `True`.
 */
const CONDITION_TYPES = {
  Ready: { kinds: BOTH, weight: 'computed' },
  Reconciling: { kinds: BOTH, weight: 'computed' },
  Stalled: { kinds: BOTH, weight: 'computed' },
  Accepted: { kinds: BOTH, weight: 'required', column: 'Accepted' },
  Synced: { kinds: BOTH, weight: 'required', column: 'Synced' },
  DNSReady: { kinds: ['DomainMapping'], weight: 'checked', column: 'DNS', printed: true },
  CertificateReady: { kinds: BOTH, weight: 'checked', column: 'Certificate', printed: true },
} as const satisfies Record<string, ConditionType>

type Types = typeof CONDITION_TYPES

/** A type that a step says something of, for objects of this kind. */
export type PartType<K extends Kind = Kind> = {
  [T in keyof Types]: Types[T]['weight'] extends 'computed' ? never : K extends Types[T]['kinds'][number] ? T : never
}[keyof Types]

/** One row of the table. */
export type Row = ConditionType & { type: string }

const ROWS = Object.entries<ConditionType>(CONDITION_TYPES).map(([type, row]): Row => ({ type, ...row }))
const PARTS = ROWS.filter(({ weight }) => weight !== 'computed')
const partsFor = (kind: Kind) => PARTS.filter(({ kinds }) => (kinds as readonly Kind[]).includes(kind))
const PARTS_OF = { ServerPilotApp: partsFor('ServerPilotApp'), DomainMapping: partsFor('DomainMapping') }

/** The types of a kind that steps say something of, in order. */
export const partsOf = (kind: Kind): readonly Row[] => PARTS_OF[kind]

/** True for what steps say something of. */
export const isPart = (type: string): boolean => PARTS.some((row) => row.type === type)

/** True for what is worked out of the other conditions. */
export const isComputed = (type: string): boolean => rankOf(type) < ROWS.length && !isPart(type)

/** Where a type stands in a list; types that are not ours come last, as they were. */
export function rankOf(type: string): number {
  const at = ROWS.findIndex((row) => row.type === type)
  return at < 0 ? ROWS.length : at
}
