import { displayHost } from '../../domain/host.ts'
import { plain } from '../../domain/plain.ts'
import type { Answer, Caa, Dns, Failure } from './ask.ts'
import { AUTHORITY, type Issuer, readIssuer } from './issuer.ts'
import { FAILURE_WORDS } from './judge.ts'

/** Properties that the authority knows; another one that is marked critical makes it refuse. */
const KNOWN = ['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc']

/** The records that count for a host: those of the nearest name, from the host up the tree, that has any. */
export type CaaLookup =
  | { kind: 'found'; at: string; records: readonly Caa[] }
  | { kind: 'none' }
  | { kind: 'failed'; at: string; why: Failure }

/** Whether the domain's owner lets the authority issue. `Unknown` too when only one account of the authority may. */
export interface CaaVerdict {
  state: 'Allowed' | 'Refused' | 'Unknown'
  message: string
}

/**
 * Looks for the CAA records of hosts. Names above several hosts are asked once only, so one of these serves one round. Rejects
 * only when the resolver's signal aborts.
 */
export function createCaaLookup(dns: Dns): (host: string) => Promise<CaaLookup> {
  const asked = new Map<string, Promise<Answer<Caa>>>()
  return async (host) => {
    const labels = host.replace(/^\*\./, '').split('.')
    for (let from = 0; from < labels.length; from++) {
      const at = labels.slice(from).join('.')
      const question = asked.get(at) ?? dns.caa(at)
      asked.set(at, question)
      const answer = await question
      if (answer.kind === 'found') return { kind: 'found', at, records: answer.records }
      // Above a failure nothing may be believed: the records that count might have been there.
      if (answer.kind === 'failed') return { kind: 'failed', at, why: answer.why }
    }
    return { kind: 'none' }
  }
}

/** Whether the certificate authority issues for a host, by RFC 8659 and RFC 8657 as the authority reads them. Pure. */
export function judgeCaa(host: string, lookup: CaaLookup): CaaVerdict {
  const name = displayHost(host)
  if (lookup.kind === 'none') return { state: 'Allowed', message: 'There are no CAA records.' }
  if (lookup.kind === 'failed') {
    const message = `The CAA records of ${lookup.at} cannot be read (${FAILURE_WORDS[lookup.why]}); while the certificate authority meets the same, it refuses ${name}. If it lasts, check the name servers and DNSSEC of the domain.`
    return { state: 'Unknown', message }
  }
  const { at } = lookup
  // A resolver hands them out in any order.
  const records = lookup.records.toSorted((a, b) => (a.tag + a.value < b.tag + b.value ? -1 : 1))
  const unknown = records.find(({ critical, tag }) => critical && !KNOWN.includes(tag))
  if (unknown !== undefined) {
    const message = `${at} has a critical CAA record "${plain(unknown.tag)}", which the certificate authority does not know, so it refuses ${name}. Delete that record, or set its flags to 0.`
    return { state: 'Refused', message }
  }
  const wild = host.startsWith('*.') && records.some(({ tag }) => tag === 'issuewild')
  const tag = wild ? 'issuewild' : 'issue'
  const values = records.filter((each) => each.tag === tag).map(({ value }) => value)
  if (values.length === 0) return { state: 'Allowed', message: `The CAA records of ${at} say nothing of issuers.` }
  return judgeIssuers(values, { name, at, tag })
}

/** Whether one of the values lets the authority issue; what is wrong with one that means to comes before what it lacks. */
function judgeIssuers(values: readonly string[], { name, at, tag }: Record<'name' | 'at' | 'tag', string>): CaaVerdict {
  const issuers = values.map(readIssuer)
  const find = <K extends Issuer['kind']>(kind: K) =>
    issuers.find((each): each is Extract<Issuer, { kind: K }> => each.kind === kind)
  if (find('Allows')) return { state: 'Allowed', message: `The CAA records of ${at} allow ${AUTHORITY}.` }
  const one = find('AllowsAccount')
  if (one !== undefined) {
    const message = `The CAA record at ${at} allows ${plain(one.account)} alone, and whether that is the account in use cannot be known here. Take accounturi away if no certificate comes.`
    return { state: 'Unknown', message }
  }
  const faulty = find('Faulty')
  if (faulty !== undefined) {
    return { state: 'Refused', message: `The CAA record at ${at} refuses ${name}: ${faulty.fault}.` }
  }
  const domains = issuers.flatMap((each) => (each.kind === 'Other' ? [each.domain || 'nobody'] : []))
  const others = plain([...new Set(domains)].sort().join(', '))
  const message = `A CAA record at ${at} refuses ${name}: "${tag}" names ${others}. Add a CAA record at ${at}: 0 ${tag} "${AUTHORITY}".`
  return { state: 'Refused', message }
}
