/** The log of calls: what clients really sent. */
import { ENDPOINTS, type Endpoint } from './router.ts'

/** One call to the API. Holds no credentials, and of a custom certificate no key. */
export interface CallRecord {
  /** From 1, without gaps. */
  seq: number
  /** Milliseconds since 1970, on the simulated clock. */
  time: number
  method: string
  path: string
  endpoint: Endpoint
  app?: string
  /** 0: no answer (yet): it was cut off, is held back, or is under way. */
  status: number
  /** The body as decoded JSON; absent where there was none or it was malformed. */
  body?: unknown
  /** Kinds of the faults that it met. */
  faults?: string[]
}

/** Calls by endpoint. */
export type CallCounts = Record<Endpoint, number>

/** The log of one simulator. */
export interface CallLog {
  /** Records a call at its arrival and returns the record, to be completed in place. */
  add(record: Omit<CallRecord, 'seq'>): CallRecord
  /** The records after a sequence number; all by default. */
  list(after?: number): CallRecord[]
  counts(): CallCounts
  /** Forgets records and counts; sequence numbers go on. */
  clear(): void
}

/** Starts an empty log that keeps the last `max` records. */
export function createCallLog(max: number): CallLog {
  let records: CallRecord[] = []
  let counts = zeros()
  let last = 0
  return {
    add(given) {
      last += 1
      const record: CallRecord = { seq: last, ...given }
      records.push(record)
      counts[record.endpoint] += 1
      // Half again as many before the old ones go, so that the cost per call stays constant.
      if (records.length > max * 1.5) records = records.slice(-max)
      return record
    },
    list: (after = 0) => records.slice(-max).filter((record) => record.seq > after),
    counts: () => ({ ...counts }),
    clear() {
      records = []
      counts = zeros()
    },
  }
}

function zeros(): CallCounts {
  return Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, 0])) as CallCounts
}
