import { API_VERSION } from '../../src/api/objects.ts'
import type { World } from './world.ts'

/** `STATUS REASON` of each condition of an object, by type. */
export type Conditions = ReadonlyMap<string, string>

interface Stored {
  conditions?: { type: string; status: string; reason: string }[]
}

const KINDS = { apps: 'serverpilotapps', mappings: 'domainmappings' } as const

/** What all objects of a kind say of themselves, apps by name and mappings by domain: rows have no names. Nothing of those that say nothing. */
export function conditionsOf(world: World, kind: keyof typeof KINDS): ReadonlyMap<string, Conditions> {
  const { cluster } = world
  const objects = cluster === undefined ? inFile(world, kind) : inCluster(cluster, KINDS[kind])
  return new Map(
    objects.map(([name, { conditions = [] }]) => [
      name,
      new Map(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`])),
    ]),
  )
}

function inFile({ files, state }: World, kind: keyof typeof KINDS): [string, Stored][] {
  try {
    const status = JSON.parse(files.text(`${state}/status.json`) ?? '') as Record<
      string,
      (Stored & { key: string; domain?: string })[]
    >
    return status[kind]!.map((each) => [each.domain ?? each.key.split('/')[1] ?? '', each])
  } catch {
    return []
  }
}

function inCluster({ objects }: NonNullable<World['cluster']>, plural: string): [string, Stored][] {
  const target = { resource: `/apis/${API_VERSION}/${plural}`, namespace: undefined, name: undefined, status: false }
  return objects.list(target).map(({ metadata, spec, status }) => {
    const { domain = metadata.name } = spec as { domain?: string }
    return [domain, (status ?? {}) as Stored]
  })
}
