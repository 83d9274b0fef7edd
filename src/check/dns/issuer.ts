import { plain } from '../../domain/plain.ts'

/** The authority that ServerPilot's AutoSSL has its certificates from. */
export const AUTHORITY = 'letsencrypt.org'

/** How AutoSSL proves names. */
const METHOD = 'http-01'

/** URIs of the authority's accounts, as `accounturi` has to have them, letter by letter. */
const ACCOUNT =
  /^https:\/\/acme-(?:v02\.api\.letsencrypt\.org\/acme\/acct|v01\.api\.letsencrypt\.org\/acme\/reg)\/[1-9]\d*$/

/** What a CAA property says of the authority. `Faulty`: it means the authority and does not let it issue. */
export type Issuer =
  | { kind: 'Allows' }
  | { kind: 'AllowsAccount'; account: string }
  /** Somebody else's domain as it is written; empty: nobody's. */
  | { kind: 'Other'; domain: string }
  /** `fault`: a clause that says what is wrong and how to mend it. */
  | { kind: 'Faulty'; fault: string }

type Parameter = { tag: string; value: string } | { fault: string }

/**
 * Reads the value of an `issue` or `issuewild` property as Let's Encrypt does, which differs from RFC 8659 here and there: case counts
 * in the domain, in tags and in methods, a `;` behind the last parameter makes all of it void, and tags have no hyphens.
 */
export function readIssuer(value: string): Issuer {
  const [first = '', ...rest] = value.split(';')
  const domain = trim(first)
  if (domain.trim().toLowerCase().replace(/\.$/, '') !== AUTHORITY) return { kind: 'Other', domain }
  const isEmpty = rest.length === 1 && trim(rest[0] ?? '') === ''
  const parameters = isEmpty ? [] : rest.map((text, index) => readParameter(text, index === rest.length - 1))
  const fault = parameters.find((each) => 'fault' in each) ?? domainFault(domain)
  if (fault !== undefined) return { kind: 'Faulty', ...fault }
  return readRules(parameters.filter((each) => 'tag' in each))
}

/** `tag=value`, with blanks around both. */
function readParameter(text: string, isLast: boolean): Parameter {
  const at = text.indexOf('=')
  const [tag, value] = [trim(text.slice(0, Math.max(0, at))), trim(text.slice(at + 1))]
  if (at >= 0 && /^[0-9A-Za-z]*$/.test(tag) && /^[!-:<-~]*$/.test(value)) return { tag, value }
  if (trim(text) !== '') return { fault: `the authority cannot read its parameter "${plain(text)}". Take that away` }
  return {
    fault: `the authority cannot read it with ${isLast ? 'a ";" at its end' : 'two ";" in a row'}. Take that away`,
  }
}

function domainFault(domain: string): { fault: string } | undefined {
  if (domain === AUTHORITY) return undefined
  return { fault: `it names "${plain(domain)}", and the authority compares letter by letter. Write "${AUTHORITY}"` }
}

/** What the parameters of RFC 8657 allow. */
function readRules(parameters: readonly { tag: string; value: string }[]): Issuer {
  const valuesOf = (wanted: string) => parameters.flatMap(({ tag, value }) => (tag === wanted ? [value] : []))
  const [methods, accounts] = [valuesOf('validationmethods'), valuesOf('accounturi')]
  const twice = methods.length > 1 ? 'validationmethods' : accounts.length > 1 ? 'accounturi' : undefined
  if (twice !== undefined) return { kind: 'Faulty', fault: `it has ${twice} more than once. Leave one` }
  if (methods.some((list) => !allowsMethod(list))) {
    const fault = `it does not allow the method ${METHOD}. Add it to validationmethods, or take that away`
    return { kind: 'Faulty', fault }
  }
  const [account] = accounts
  if (account === undefined) return { kind: 'Allows' }
  if (ACCOUNT.test(account)) return { kind: 'AllowsAccount', account }
  return {
    kind: 'Faulty',
    fault: `its accounturi "${plain(account)}" is not an account of the authority. Take that away`,
  }
}

/** Read from the front: up to our method, each has to have the form of one. */
function allowsMethod(list: string): boolean {
  const methods = list.split(',')
  const at = methods.indexOf(METHOD)
  return at >= 0 && methods.slice(0, at).every((method) => /^[0-9A-Za-z-]+$/.test(method))
}

/** Without blanks and tabs around it; other white space belongs to the text. */
function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}
