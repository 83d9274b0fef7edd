import type { Io } from './io.ts'
import type { Given } from './option.ts'
import type { Settings } from './settings.ts'

/** Every namespace. */
export const EVERYWHERE = ''

/** The namespaces that a person means, as kubectl has it: those named, else that of the context; with `-A` all. */
export function namespacesOf(
  io: Pick<Io, 'plugin'>,
  given: Given,
  { selection }: Pick<Settings, 'selection'>,
  context: { namespace: string },
): readonly string[] {
  if (given.allNamespaces === true) return [EVERYWHERE]
  if (selection.namespaces.length > 0) return [...new Set(selection.namespaces)]
  return io.plugin ? [context.namespace] : [EVERYWHERE]
}
