import type { Kind } from '../../kubernetes/api.ts'
import type { AppStatus, Condition, MappingStatus } from '../status.ts'

/** A `status` as it stands in an object: JSON. */
export type StatusFields = Record<string, unknown>

/** The `status` of a `ServerPilotApp`. */
export function appFields(status: AppStatus): StatusFields {
  const { plan, certificate, lastHandledReconcileAt } = status
  return {
    observedGeneration: status.observedGeneration,
    ownedDomains: status.ownedDomains,
    domains: { ...status.domains },
    ...(plan && { plan: { hash: plan.hash, removals: plan.removals, reason: plan.reason, message: plan.message } }),
    ...(certificate && { certificate: { ...certificate, notAfter: null, ...dated('notAfter', certificate.notAfter) } }),
    ...(lastHandledReconcileAt === undefined ? {} : { lastHandledReconcileAt }),
    conditions: status.conditions.map(conditionFields),
  }
}

/** The `status` of a `DomainMapping`. */
export function mappingFields(status: MappingStatus): StatusFields {
  return {
    observedGeneration: status.observedGeneration,
    ...(status.appId === undefined ? {} : { appId: status.appId }),
    hosts: status.hosts.map(({ name, state, addresses, certificateNotAfter, message }) => ({
      name,
      state,
      ...(addresses === undefined ? {} : { addresses }),
      ...dated('certificateNotAfter', certificateNotAfter),
      ...(message === undefined ? {} : { message }),
    })),
    conditions: status.conditions.map(conditionFields),
  }
}

/** A merge patch leaves alone what it does not name: what may be there and is not wanted any more has to be taken out. */
export const ABSENT: Record<Kind, StatusFields> = {
  ServerPilotApp: { plan: null, certificate: null, lastHandledReconcileAt: null },
  DomainMapping: { appId: null },
}

/** RFC 3339 in whole seconds, as Kubernetes writes its own times. */
const rfc3339 = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

const dated = (field: string, time: number | undefined): StatusFields =>
  time === undefined ? {} : { [field]: rfc3339(time) }

const conditionFields = ({ lastTransitionTime, ...condition }: Condition): StatusFields => ({
  ...condition,
  ...dated('lastTransitionTime', lastTransitionTime),
})
