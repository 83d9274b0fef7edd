import { z } from 'zod'
import type { Key } from '../api/objects.ts'

/** What the status of a mapping says of DNS: what an earlier leader found out. */
export interface DnsRecall {
  app: Key
  hosts: readonly { name: string; addresses: readonly string[] }[]
  /** Since when all of them have been right; epoch ms; undefined when they are not. */
  rightSince: number | undefined
}

const told = z.object({
  metadata: z.object({ namespace: z.string(), generation: z.number() }),
  spec: z.object({ appRef: z.object({ name: z.string(), namespace: z.string().optional() }) }),
  status: z.object({
    observedGeneration: z.number(),
    hosts: z.array(z.object({ name: z.string(), addresses: z.array(z.string()).default([]) })),
    conditions: z.array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() })),
  }),
})

/** Reads it off a `DomainMapping` of the API server; undefined where it says nothing of DNS. */
export function dnsRecall(object: unknown): DnsRecall | undefined {
  const { data } = told.safeParse(object)
  const ready = data?.status.conditions.find(({ type }) => type === 'DNSReady')
  if (data === undefined || ready === undefined) return undefined
  // It speaks of what the object said before: of another host, or of another app.
  if (data.status.observedGeneration !== data.metadata.generation) return undefined
  const { name, namespace = data.metadata.namespace } = data.spec.appRef
  const since = ready.status === 'True' ? Date.parse(ready.lastTransitionTime) : Number.NaN
  const rightSince = Number.isNaN(since) ? undefined : since
  return { app: `${namespace}/${name}`, hosts: data.status.hosts, rightSince }
}
