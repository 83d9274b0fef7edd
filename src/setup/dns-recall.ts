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

const object = z.object({
  metadata: z.object({ namespace: z.string(), generation: z.number() }),
  spec: z.object({ appRef: z.object({ name: z.string(), namespace: z.string().optional() }) }),
  status: z.unknown(),
})

/** Reads it off a `DomainMapping` of the API server; undefined where it says nothing of DNS. */
export function dnsRecall(value: unknown): DnsRecall | undefined {
  const { data } = object.safeParse(value)
  if (data === undefined) return undefined
  const { conditions, hosts, observedGeneration } = readMappingStatus(data.status)
  const ready = conditions.find(({ type }) => type === 'DNSReady')
  // What speaks of an older generation speaks of another host, or of another app.
  if (ready === undefined || observedGeneration !== data.metadata.generation) return undefined
  const { name, namespace = data.metadata.namespace } = data.spec.appRef
  return {
    app: `${namespace}/${name}`,
    hosts: hosts.map((host) => ({ name: host.name, addresses: host.addresses ?? [] })),
    // 0 is a time that could not be read.
    rightSince: ready.status === 'True' && ready.lastTransitionTime > 0 ? ready.lastTransitionTime : undefined,
  }
}
