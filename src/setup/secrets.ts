import { secretsOf } from '../serverpilot/credentials.ts'
import type { Credentials } from '../serverpilot/serverpilot.ts'

/** Collects what must not be shown, from wherever it becomes known: the log asks for all of it. */
export type Secrets = ReturnType<typeof createSecrets>

/** Makes an empty collection. */
export function createSecrets() {
  const known = new Set<string>()
  const add = (secret: string): void => {
    if (secret !== '') known.add(secret)
  }
  return {
    add,
    addCredentials: (credentials: Credentials) => secretsOf(credentials).forEach(add),
    /** The URL of a database: all of it, and its password as it is written and as it is meant. */
    addUrl(url: string): void {
      const password = /^[a-z]+:\/\/[^/@]*?:(.*)@/.exec(url)?.[1] ?? ''
      for (const each of [url, password, meant(password)]) add(each)
    },
    all: () => [...known],
  }
}

function meant(password: string): string {
  try {
    return decodeURIComponent(password)
  } catch {
    // A stray % in it: it is meant as it is written.
    return password
  }
}
