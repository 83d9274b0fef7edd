import type { App } from '../../api/objects.ts'
import { emptyRecord, type OwnershipRecord } from '../../ownership/record.ts'
import { RecordConflictError } from '../../ownership/store.ts'
import { blankMemory, type Context, memoryOf } from '../context.ts'
import { ReconcileError } from './errors.ts'

/**
 * The record of an app, from memory or from the store. `fresh`: there was none, so everything observed is foreign and the first
 * plan removes nothing. Throws when it is corrupt, or when another `ServerPilotApp` is recorded as being in charge.
 */
export async function loadRecord(
  context: Context,
  app: App,
  account: string,
): Promise<{ record: OwnershipRecord; fresh: boolean }> {
  const memory = memoryOf(context, app.key)
  const of = JSON.stringify([account, app.spec.appId])
  // Another app at ServerPilot under the same object: nothing that was seen or claimed of the old one is true of it.
  if (memory.of !== of) {
    // What an earlier leader found out of hosts came before the first reconcile.
    const { account, checks } = memory.of === undefined ? memory : { ...blankMemory(), account: memory.account }
    Object.assign(memory, blankMemory(), { account, checks, of })
  }
  if (!memory.loaded) {
    const stored = await context.records.load(account, app.spec.appId)
    memory.record = stored?.record
    memory.token = stored?.token
    memory.loaded = true
  }
  const record = memory.record
  if (record === undefined) {
    return { record: emptyRecord(account, app.spec.appId, app.key, context.writer), fresh: true }
  }
  if (record.owner !== app.key && context.objects.app(record.owner)?.spec.appId === app.spec.appId) {
    throw new ReconcileError(
      'Conflict',
      `App ${record.owner} is in charge of appId ${app.spec.appId} already. Delete one of the two ServerPilotApp objects.`,
      { retryable: true },
    )
  }
  return { record: record.owner === app.key ? record : { ...record, owner: app.key }, fresh: false }
}

/**
 * Finds out the account of every app that is not known yet, suspended ones too: conflicts and moves are settled among all apps
 * of an account. What is wrong with an app's credentials its own reconcile reports.
 */
export async function resolveAccounts(context: Context): Promise<void> {
  for (const app of context.objects.apps()) {
    const memory = memoryOf(context, app.key)
    if (memory.account !== undefined) continue
    const account = await context.accountOf(app).catch(() => undefined)
    memory.account = account?.account
  }
}

/** Loads the records of all apps of the account that are not loaded yet: conflicts are settled by who holds what. */
export async function loadAccountRecords(context: Context, account: string): Promise<void> {
  for (const app of context.objects.apps()) {
    const memory = memoryOf(context, app.key)
    if (memory.loaded || memory.account !== account) continue
    // Its own reconcile reports what is wrong with it.
    await loadRecord(context, app, account).catch(() => undefined)
  }
}

/**
 * Saves the record durably, if it differs from what is stored. After it resolves the record survives a crash.
 * Somebody else's change in between makes the caller start over: throws `RecordConflictError`.
 */
export async function saveRecord(context: Context, app: App, record: OwnershipRecord): Promise<void> {
  const memory = memoryOf(context, app.key)
  if (memory.record !== undefined && JSON.stringify(memory.record) === JSON.stringify(record)) return
  context.assertMayWrite()
  try {
    memory.token = await context.records.save(record, memory.token)
    memory.record = record
  } catch (error) {
    if (error instanceof RecordConflictError) memory.loaded = false
    throw error
  }
}
