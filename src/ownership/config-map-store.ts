import { createHash } from 'node:crypto'
import { type ConfigMapApi, type ConfigMapContent, codeOf } from '../kubernetes/api.ts'
import { messageOf } from '../log/message-of.ts'
import { decodeRecord, encodeRecord } from './decode.ts'
import type { OwnershipRecord } from './record.ts'
import { type OwnershipStore, RecordConflictError, RecordCorruptError, RecordUnavailableError } from './store.ts'

interface RecordStoreOptions {
  /** Of the daemon's own namespace, past the limit on requests. */
  api: ConfigMapApi
  /** The leader epoch of this process; undefined without leader election. It goes into every record that is saved. */
  epoch(): number | undefined
  /** Called with the epoch of a record that a later leader wrote. */
  outranked(epoch: number): void
}

/** Where the record stands in its ConfigMap. */
const DATA_KEY = 'record.json'

/** What a ConfigMap holds at the most, in bytes. */
const MAX_BYTES = 1_048_576 - DATA_KEY.length

/** The ownership records as ConfigMaps, one per account and app, changed by compare-and-swap alone. */
export function createRecordStore({ api, epoch, outranked }: RecordStoreOptions): OwnershipStore {
  return {
    async load(account, appId) {
      const name = recordName(account, appId)
      const stored = await api.read(name).catch((error: unknown) => {
        throw unavailable('read', name, error)
      })
      if (stored === undefined) return undefined
      const text = stored.data[DATA_KEY]
      if (text === undefined) {
        throw new RecordCorruptError(
          `${place(name)} has no key ${DATA_KEY}: the ownership record is not in it. Nothing is written to its app until then: restore it from a backup, or delete that ConfigMap; the app's hosts then count as foreign and none of them is removed.`,
        )
      }
      const record = decodeRecord(text, `in ${place(name)}, key ${DATA_KEY},`)
      if (record.account !== account || record.appId !== appId) {
        throw new RecordCorruptError(
          `The ownership record in ${place(name)} is that of another app (${record.appId} of account ${record.account}): it was copied or renamed. Put the right one in its place, or delete that ConfigMap; the app's hosts then count as foreign and none of them is removed.`,
        )
      }
      return { record, token: tokenOf(stored.resourceVersion, record.writer.epoch) }
    },

    async save(record, token) {
      const name = recordName(record.account, record.appId)
      const mine = epoch()
      const [version, theirs] = token === undefined ? [] : partsOf(token)
      if (mine !== undefined && theirs !== undefined && theirs > mine) {
        outranked(theirs)
        throw new RecordConflictError(
          `The ownership record in ${place(name)} was written by a later leader (epoch ${theirs}, this process has ${mine}): nothing is written. If this process still leads, as after a restore of the Lease, it takes a higher epoch with its next renewal and goes on.`,
        )
      }
      const written = mine === undefined ? record : { ...record, writer: { ...record.writer, epoch: mine } }
      const content = contentOf(name, written)
      try {
        const stored = await (version === undefined ? api.create(name, content) : api.update(name, content, version))
        return tokenOf(stored.resourceVersion, written.writer.epoch)
      } catch (cause) {
        const code = codeOf(cause)
        // Where nothing is to be replaced, a 404 speaks of the namespace.
        if (code !== 409 && (code !== 404 || version === undefined)) throw unavailable('write', name, cause)
        const what = code === 404 ? 'deleted' : 'changed'
        const message = `The ownership record in ${place(name)} was ${what} by somebody else meanwhile.`
        throw new RecordConflictError(message, { cause })
      }
    },
  }

  function contentOf(name: string, record: OwnershipRecord): ConfigMapContent {
    const text = encodeRecord(record)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_BYTES) {
      throw new Error(
        `The ownership record for ${place(name)} has ${bytes} bytes; a ConfigMap holds ${MAX_BYTES}. Nothing is written to app ${record.appId} until it is smaller: it is its ${Object.keys(record.hosts).length} hosts, ${record.removals.length} removals and ${Object.keys(record.rejected).length} rejected names.`,
      )
    }
    return {
      labels: { 'app.kubernetes.io/component': 'ownership-record' },
      annotations: {
        'domainpilot.dev/account': record.account,
        'domainpilot.dev/app-id': record.appId,
        'domainpilot.dev/app': record.owner,
      },
      data: { [DATA_KEY]: text },
    }
  }

  function place(name: string): string {
    return `ConfigMap ${api.namespace}/${name}`
  }

  function unavailable(verb: 'read' | 'write', name: string, cause: unknown): RecordUnavailableError {
    const message = `Cannot ${verb} the ownership record in ${place(name)}: ${messageOf(cause)}. Nothing is written to its app until then.`
    return new RecordUnavailableError(message, { cause })
  }
}

/** Name of a record's ConfigMap: ids differ in capitals, names of objects must not have any, hence a digest. */
export function recordName(account: string, appId: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([account, appId]))
    .digest('hex')
  return `domainpilot-${digest.slice(0, 20)}`
}

/** The version that was read, with the epoch that stands in it: so no save has to read first. */
function tokenOf(resourceVersion: string, epoch: number | undefined): string {
  return epoch === undefined ? resourceVersion : `${resourceVersion}@${epoch}`
}

function partsOf(token: string): [version: string, epoch: number | undefined] {
  const [version = '', epoch] = token.split('@')
  return [version, epoch === undefined ? undefined : Number(epoch)]
}
