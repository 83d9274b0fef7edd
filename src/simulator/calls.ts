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

/** The log of one simulator. */
export type CallLog = ReturnType<typeof createCallLog>

/** Starts an empty log that keeps the last `max` records. */
export function createCallLog(max: number) {
  let records: CallRecord[] = []
  let counts = zeros()
  let last = 0
  return {
    /** Records a call at its arrival and returns the record, to be completed in place. */
    add(given: Omit<CallRecord, 'seq'>): CallRecord {
      last += 1
      const record: CallRecord = { seq: last, ...given }
      records.push(record)
      counts[record.endpoint] += 1
      // Half again as many before the old ones go, so that the cost per call stays constant.
      if (records.length > max * 1.5) records = records.slice(-max)
      return record
    },
    /** The records after a sequence number; all by default. */
    list: (after = 0): CallRecord[] => records.slice(-max).filter((record) => record.seq > after),
    /** Calls by endpoint. */
    counts: (): Record<Endpoint, number> => ({ ...counts }),
    /** Forgets records and counts; sequence numbers go on. */
    clear(): void {
      records = []
      counts = zeros()
    },
  }
}

function zeros(): Record<Endpoint, number> {
  return Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, 0])) as Record<Endpoint, number>
}
