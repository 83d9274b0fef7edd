import { createHash } from 'node:crypto'
import { groupBy } from '../domain/group-by.ts'
import { limitKey } from '../domain/host.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const WEEK = 7 * 24 * HOUR

/**
 * Let's Encrypt's limits. It lets a little flow back all the time; here a use counts in full until its window is over, so that
 * a forecast is never too bright.
 */
export const LIMITS = {
  CertificatesPerDomain: { allowed: 50, window: WEEK },
  DuplicateCertificate: { allowed: 5, window: WEEK },
  FailedValidations: { allowed: 5, window: HOUR },
} as const

/** How many names a certificate takes, by the authority's profile. */
export const NAMES_PER_CERTIFICATE = { classic: 100, tlsserver: 25, shortlived: 25 } as const

/** Beyond this share of a limit, changes are gathered into fewer certificates. */
const NEAR = 0.8

type Limit = keyof typeof LIMITS

/** One certificate that was issued. Small, since a week of them is kept. */
interface Issuance {
  /** Epoch ms. */
  at: number
  /** What the authority counts its names by (`limitKey`), sorted. */
  domains: readonly string[]
  /** Digest of its set of names. */
  set: string
}

/** One validation that the authority made in vain. `at`: epoch ms. */
interface FailedValidation {
  at: number
  host: string
}

export interface History {
  issuances: readonly Issuance[]
  failures: readonly FailedValidation[]
}

/** What was used of one limit, and what the next certificates add. */
interface Use {
  limit: Limit
  /** The registrable domain, the host, or for a repeated set its digest. */
  subject: string
  /** Epoch ms of each, the oldest first. */
  times: readonly number[]
  adds: number
}

/** Whether to let the next certificates come. `Batch`: wait a little, so that more changes share one. `Wait`: refused before `at`. */
export interface Forecast {
  verdict: 'Go' | 'Batch' | 'Wait'
  /** Epoch ms; the present for `Go`. */
  at: number
  message: string
}

/** The issuance of a certificate with these names. `at`: epoch ms. */
export function issuanceOf(names: readonly string[], at: number): Issuance {
  const domains = new Set(names.map((name) => limitKey(name)))
  return { at, domains: [...domains].sort(), set: digest(names) }
}

/** The history without what no longer counts at `now` (epoch ms). */
export function prune({ issuances, failures }: History, now: number): History {
  return {
    issuances: issuances.filter(({ at }) => at > now - WEEK),
    failures: failures.filter(({ at }) => at > now - HOUR),
  }
}

/** The history with one more issuance; one that is known already, as the same certificate is seen again and again, adds nothing. */
export function noteIssuance(history: History, issuance: Issuance): History {
  const known = history.issuances.some(({ at, set }) => at === issuance.at && set === issuance.set)
  return known ? history : { ...history, issuances: [...history.issuances, issuance] }
}

/**
 * What the next certificates cost, and whether they should wait. `certificates`: the names of each certificate that the changes
 * lead to. `now`: epoch ms. Pure.
 */
export function forecast(history: History, certificates: readonly (readonly string[])[], now: number): Forecast {
  const uses = usesOf(prune(history, now), certificates, now)
  const late = uses
    .map((use) => ({ use, at: earliest(use, now) }))
    .filter(({ at }) => at > now)
    .sort((a, b) => b.at - a.at)[0]
  if (late === undefined) return { verdict: 'Go', at: now, message: describe(fullest(uses)) }
  const over = excessOf(late.use) > 0
  return { verdict: over ? 'Wait' : 'Batch', at: late.at, message: advice(late.use, late.at, over) }
}

/** The one that takes the largest share of its limit. */
function fullest(uses: readonly Use[]): Use | undefined {
  const fullness = ({ limit, times, adds }: Use): number => (times.length + adds) / LIMITS[limit].allowed
  return uses.toSorted((a, b) => fullness(b) - fullness(a) || (a.subject < b.subject ? -1 : 1))[0]
}

function usesOf({ issuances, failures }: History, certificates: readonly (readonly string[])[], now: number): Use[] {
  const bySet = groupBy(issuances, ({ set }) => set)
  const adds = { domains: new Map<string, number>(), sets: new Map<string, number>() }
  for (const names of certificates) {
    const { domains, set } = issuanceOf(names, now)
    adds.sets.set(set, (adds.sets.get(set) ?? 0) + 1)
    // The same set once more is a renewal, which is free of the limit per domain.
    if (bySet.has(set)) continue
    for (const domain of domains) adds.domains.set(domain, (adds.domains.get(domain) ?? 0) + 1)
  }
  const use = (limit: Limit, subject: string, added: number, used: readonly { at: number }[] = []): Use => ({
    limit,
    subject,
    times: used.map(({ at }) => at).sort((a, b) => a - b),
    adds: added,
  })
  // Without the renewals: each set once, when it came first.
  const firsts = [...bySet.values()].map((same) => same.reduce((first, each) => (each.at < first.at ? each : first)))
  const failed = groupBy(failures, ({ host }) => host)
  const domains = [...adds.domains].map(([domain, added]) => {
    const issued = firsts.filter((each) => each.domains.includes(domain))
    return use('CertificatesPerDomain', domain, added, issued)
  })
  const sets = [...adds.sets].map(([set, added]) => use('DuplicateCertificate', set, added, bySet.get(set)))
  const hosts = [...new Set(certificates.flat())].map((host) => use('FailedValidations', host, 0, failed.get(host)))
  return [
    ...domains,
    ...sets.filter(({ times, adds }) => times.length > 0 || adds > 1),
    ...hosts.filter(({ times }) => times.length > 0),
  ]
}

/** When the limit lets it happen, and where it is near: when to let it happen, so that what is left lasts. */
function earliest(use: Use, now: number): number {
  const { limit, times } = use
  const { window, allowed } = LIMITS[limit]
  const excess = excessOf(use)
  // More in one go than the limit ever lets: they have to be gathered into fewer.
  if (excess > times.length) return now + window / allowed
  if (excess > 0) return (times[excess - 1] ?? now) + window
  if (limit !== 'CertificatesPerDomain' || excess + allowed <= NEAR * allowed) return now
  return (times.at(-1) ?? Number.NEGATIVE_INFINITY) + window / allowed
}

/** By how much the limit is passed. A host that has used up its failures may not even be tried, though a try that succeeds adds none. */
function excessOf({ limit, times, adds }: Use): number {
  return times.length + Math.max(1, adds) - LIMITS[limit].allowed
}

function advice(use: Use, at: number, over: boolean): string {
  const used = use.times.length
  const { allowed } = LIMITS[use.limit]
  const until = new Date(at).toISOString()
  if (use.limit === 'FailedValidations') {
    return `${use.subject} failed ${used} validations within an hour, and ${allowed} are allowed: not tried before ${until}. Correct its DNS.`
  }
  return over
    ? `${used} certificates for ${whatOf(use)} within a week, and ${allowed} are allowed: the next one not before ${until}.`
    : `${used} of ${allowed} certificates a week for ${whatOf(use)} are used: changes are gathered until ${until}.`
}

function describe(use: Use | undefined): string {
  if (use === undefined) return 'No certificate is needed.'
  const share = `${use.times.length} of ${LIMITS[use.limit].allowed}`
  return use.limit === 'FailedValidations'
    ? `${share} failed validations an hour for ${use.subject}.`
    : `${share} certificates a week for ${whatOf(use)} are used; this takes ${use.adds} more.`
}

const whatOf = ({ limit, subject }: Use): string =>
  limit === 'DuplicateCertificate' ? 'the same set of names' : subject

function digest(names: readonly string[]): string {
  return createHash('sha256')
    .update([...new Set(names)].sort().join(' '))
    .digest('hex')
    .slice(0, 16)
}
