import { z } from 'zod'
import type { Key } from '../api/objects.ts'
import { readMappingStatus } from '../status/wire/wire.ts'

/** What the status of a mapping says of DNS: what an earlier leader found out. */
export interface DnsRecall {
  app: Key
  hosts: readonly { name: string; addresses: readonly string[] }[]
  /** Since when all of them have been right; epoch ms; undefined when they are not. */
  rightSince: number | undefined
}

const shape = z.object({
  metadata: z.object({ namespace: z.string(), generation: z.number() }),
  spec: z.object({ appRef: z.object({ name: z.string(), namespace: z.string().optional() }) }),
  status: z.unknown(),
})

/** Reads it off a `DomainMapping` of the API server; undefined where it says nothing of DNS. */
export function dnsRecall(object: unknown): DnsRecall | undefined {
  const { data } = shape.safeParse(object)
  const ready = data?.status.conditions.find(({ type }) => type === 'DNSReady')
  if (data === undefined || ready === undefined) return undefined
  // It speaks of what the object said before: of another host, or of another app.
  if (data.status.observedGeneration !== data.metadata.generation) return undefined
  const { name, namespace = data.metadata.namespace } = data.spec.appRef
  return {
    app: `${namespace}/${name}`,
    hosts: hosts.map((host) => ({ name: host.name, addresses: host.addresses ?? [] })),
    // 0 is a time that could not be read.
    rightSince: ready.status === 'True' && ready.lastTransitionTime > 0 ? ready.lastTransitionTime : undefined,
  }
}
