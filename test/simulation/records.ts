import type { Ground } from './ground.ts'

/** The ownership record of an app, where it lies. */
export interface RecordAtRest {
  text: string
  /** Puts another text in its place, as somebody does by hand. */
  put(text: string): void
}

/** The record of an app, as a person finds it; undefined when there is none. */
export function recordOf(ground: Ground, appId: string): RecordAtRest | undefined {
  return recordsIn(ground).find(({ text }) => appIdIn(text) === appId)
}

function recordsIn({ cluster, files, state, namespace }: Ground): RecordAtRest[] {
  if (cluster === undefined) {
    const names = safely(() => files.names(state)) ?? []
    return names
      .filter((name) => /^ownership-.*\.json$/.test(name))
      .map((name) => `${state}/${name}`)
      .map((path) => ({ text: files.text(path) ?? '', put: (text) => files.put(path, text) }))
  }
  const target = { resource: '/api/v1/configmaps', namespace, name: undefined, status: false }
  return cluster.objects.list(target).flatMap(({ metadata: { name }, data }) => {
    const [[key, text] = []] = Object.entries((data ?? {}) as Record<string, string>)
    if (key === undefined || text === undefined) return []
    const put = (next: string): void => {
      cluster.objects.merge({ ...target, name }, { data: { [key]: next } })
      cluster.changed()
    }
    return [{ text, put }]
  })
}

/** Names that a record says are ours: one that it knows to be gone is somebody else's if it is there. */
export function claimedIn(text: string): ReadonlySet<string> {
  const hosts = safely(() => (JSON.parse(text) as { hosts: Record<string, { gone?: true }> }).hosts) ?? {}
  return new Set(Object.keys(hosts).filter((host) => hosts[host]?.gone !== true))
}

const appIdIn = (text: string): string | undefined => safely(() => (JSON.parse(text) as { appId?: string }).appId)

function safely<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
