import { API_GROUP } from '../api/objects.ts'
import { EVERY_NAMESPACE, PLURAL } from '../kubernetes/api.ts'
import { mayDo } from '../kubernetes/client-apis.ts'
import type { Connection } from '../kubernetes/connection.ts'
import type { ObjectSource } from '../source/source.ts'
import type { Io } from './io.ts'
import type { Given } from './option.ts'
import { granting } from './own-rights.ts'
import type { Settings } from './settings.ts'

/** What a one-shot command looks at. Empty lists: every namespace. */
interface Scope {
  /** Whose apps it passes over. */
  selected: readonly string[]
  /** Whose objects it reads: less than all only where the user may not. */
  read: readonly string[]
}

/** The namespaces that a person means, as kubectl has it: those named, else that of the context; with `-A` all. */
export function namespacesOf(
  io: Pick<Io, 'plugin'>,
  given: Given,
  { selection }: Pick<Settings, 'selection'>,
  context: { namespace: string },
): readonly string[] {
  if (given.allNamespaces === true) return [EVERY_NAMESPACE]
  if (selection.namespaces.length > 0) return [...new Set(selection.namespaces)]
  return io.plugin ? [context.namespace] : [EVERY_NAMESPACE]
}

/**
 * What a person at the command line means, and may read. Mappings of any namespace may ask for an app, so that everything is read
 * where that is allowed. Who writes has to see everything: throws an `Error` that names the missing right.
 */
export async function scopeOf(
  io: Io,
  { given, settings, writes }: { given: Given; settings: Settings; writes: boolean },
  connection: Pick<Connection, 'namespace' | 'call'>,
): Promise<Scope> {
  const selected = namespacesOf(io, given, settings, connection).filter((each) => each !== EVERY_NAMESPACE)
  if (selected.length === 0 || (await mayReadAll(connection))) return { selected, read: [] }
  if (writes) {
    const grant = granting({ namespace: EVERY_NAMESPACE, verbs: 'get,list,watch' })
    throw new Error(
      `Nothing was applied: mappings of every namespace may ask for an app, and you may not read them.\n→ ${grant}`,
    )
  }
  io.err(`Only ${selected.join(', ')} is read: the right to list and watch every namespace is missing.\n`)
  return { selected, read: selected }
}

async function mayReadAll(connection: Pick<Connection, 'call'>): Promise<boolean> {
  const questions = Object.values(PLURAL).flatMap((resource) => ['list', 'watch'].map((verb) => ({ resource, verb })))
  const answers = await Promise.all(questions.map((question) => mayDo(connection, { group: API_GROUP, ...question })))
  return answers.every(Boolean)
}

/** The source, where only some namespaces are read: an app that admits others may have mappings that nobody saw. */
export function partly(objects: ObjectSource, { read }: Scope): ObjectSource {
  if (read.length === 0) return objects
  const message = 'it admits mappings of other namespaces, and the right to list and watch those is missing'
  return {
    ...objects,
    mappingsOf(app) {
      const found = objects.mappingsOf(app)
      if (app.spec.allowedNamespaces.from === 'Same') return found
      return { ...found, failure: found.failure ?? { source: objects.name, message } }
    },
  }
}
