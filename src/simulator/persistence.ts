/** The state on disk: one JSON file, replaced as a whole, so that a crash leaves the old one or the new one. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Model } from './state.ts'

const VERSION = 1

/** Reads a state; undefined when there is no such file. Throws an Error that names the file when it is not a state of ours. */
export function loadModel(file: string): Model | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`simulator state ${file}: cannot be read`, { cause: error })
  }
  try {
    return decode(JSON.parse(text))
  } catch (error) {
    throw new Error(`simulator state ${file}: not a state of this version; delete it to start afresh`, { cause: error })
  }
}

/** Writes a state durably: when it returns, the state survives a crash. Only its owner may read the file: it holds keys. */
export function saveModel(file: string, model: Model): void {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.tmp`
  writeFileSync(temporary, encode(model), { mode: 0o600, flush: true })
  renameSync(temporary, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function encode(model: Model): string {
  const lists = { servers: model.servers, sysusers: model.sysusers, apps: model.apps, actions: model.actions }
  const stored = Object.entries(lists).map(([name, items]) => [name, [...items.values()]])
  return JSON.stringify({ version: VERSION, ...model, ...Object.fromEntries(stored), dns: [...model.dns] })
}

/** Trusts a file of the right version: only `encode` writes it. */
function decode({ version, ...data }: Record<keyof Model | 'version', never>): Model {
  if (version !== VERSION) throw new Error(`version ${String(version)}, expected ${VERSION}`)
  return {
    ...data,
    servers: byId(data.servers),
    sysusers: byId(data.sysusers),
    apps: byId(data.apps),
    actions: byId(data.actions),
    dns: new Map(data.dns),
  }
}

function byId<T extends { id: string }>(items: T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]))
}
