import type { App, Key, Mapping } from '../api/objects.ts'
import { matchesSelector } from '../api/selector.ts'
import { bareHost, displayHost, type Host, matchesPattern, parseHost, wwwHost } from '../domain/host.ts'

/** One host that a mapping wants. */
export interface DesiredHost {
  host: Host
  mapping: Mapping
  /** True for the name with or without `www.` that follows from a www rule, false for the domain that was named. */
  derived: boolean
}

/** Why a mapping is not accepted; reasons of status/reasons.ts. It wants nothing then: what it held is removed, unless it says `keeps`. */
export interface RejectedMapping {
  mapping: Mapping
  reason: 'InvalidDomain' | 'NotAllowed' | 'Conflict'
  message: string
  /** What it held stays, since this mapping … */
  keeps?: string
}

/** A mapping that is served, but not with every host that its rule asks for. */
export interface MappingNote {
  mapping: Mapping
  message: string
}

/** What the mappings of one app come to, canonical and without conflicts. */
export interface Desired {
  hosts: ReadonlyMap<Host, DesiredHost>
  rejected: readonly RejectedMapping[]
  notes: readonly MappingNote[]
}

/** One mapping compiled by itself, before it meets others. */
export interface Compiled {
  mapping: Mapping
  hosts: readonly DesiredHost[]
  rejected?: RejectedMapping | undefined
  note?: MappingNote | undefined
}

/** Labels of a namespace, for `allowedNamespaces: {from: Selector}`; undefined when unknown. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

/** Compiles one mapping for its app: tenancy, canonical form, www rule. Pure; never throws. */
export function compileMapping(app: App, mapping: Mapping, labelsOf: NamespaceLabels): Compiled {
  const refuse = (reason: RejectedMapping['reason'], message: string, keeps?: string): Compiled => ({
    mapping,
    hosts: [],
    rejected: { mapping, reason, message, ...(keeps === undefined ? {} : { keeps }) },
  })
  if (needsLabels(app, mapping) && labelsOf(mapping.namespace) === undefined) {
    const message = `The labels of namespace "${mapping.namespace}" are not known, so nobody can tell whether app ${app.key} takes its mappings: the daemon needs the right to list and watch namespaces. What is served stays.`
    return refuse('NotAllowed', message, 'may be allowed: the labels of its namespace are not known')
  }
  if (!namespaceAllowed(app, mapping.namespace, labelsOf)) {
    return refuse(
      'NotAllowed',
      `App ${app.key} takes no mappings from namespace "${mapping.namespace}": its owner decides with spec.allowedNamespaces.`,
    )
  }
  const parsed = parseHost(mapping.domain)
  if (!parsed.ok) return refuse('InvalidDomain', `${parsed.message} (${mapping.place})`, 'names no valid host now')
  const { host } = parsed
  if (!hostAllowed(app, host)) {
    return refuse(
      'NotAllowed',
      `App ${app.key} does not take the host ${displayHost(host)}: its owner decides with spec.allowedDomains (now ${app.spec.allowedDomains.join(', ') || 'empty'}).`,
    )
  }
  const hosts: DesiredHost[] = [{ host, mapping, derived: false }]
  const rule = mapping.www ?? app.spec.www ?? 'MainOnly'
  const www = wwwHost(host, rule)
  const other = www.host ?? (mapping.bare ? bareHost(host, rule) : undefined)
  if (other !== undefined && hostAllowed(app, other)) hosts.push({ host: other, mapping, derived: true })
  return www.note === undefined ? { mapping, hosts } : { mapping, hosts, note: { mapping, message: www.note } }
}

/** Whether the labels of the mapping's namespace decide. */
export const needsLabels = (app: App, mapping: Mapping): boolean =>
  app.spec.allowedNamespaces.from === 'Selector' && mapping.namespace !== app.namespace

function namespaceAllowed(app: App, namespace: string, labelsOf: NamespaceLabels): boolean {
  if (namespace === app.namespace) return true
  const { from, selector } = app.spec.allowedNamespaces
  const labels = from === 'Selector' ? labelsOf(namespace) : undefined
  return from === 'All' || (labels !== undefined && selector !== undefined && matchesSelector(labels, selector))
}

function hostAllowed(app: App, host: Host): boolean {
  return app.spec.allowedDomains.some((pattern) => pattern === '*' || matchesPattern(host, pattern))
}

/** One app with its compiled mappings: what conflicts are resolved over. */
export interface CompiledApp {
  app: Key
  compiled: readonly Compiled[]
}
