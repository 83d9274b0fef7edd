import { openFileStore } from '../../src/ownership/file-store.ts'
import { emptyRecord } from '../../src/ownership/record.ts'
import { hosts, recordOf } from './records.ts'

/**
 * A process for tests to kill: takes the state folder, says `held`, and then (asked to) writes records without end, saying the
 * number of each once it is safe. Records grow and shrink, so that a torn one would show.
 */
const [stateDir = '', task = 'write'] = process.argv.slice(2)
const store = await openFileStore(stateDir, { version: 'test' })
process.stdout.write('held\n')
if (task === 'write') {
  const stored = await store.load('account', 'app')
  let token = stored?.token
  for (let number = stored?.record.approvalsUsed ?? 0; ; number++) {
    const owned = recordOf(hosts(1 + ((number * 97) % 300))).hosts
    const empty = emptyRecord('account', 'app', 'default/app', { version: 'test', filters: 'f' })
    token = await store.save({ ...empty, hosts: owned, approvalsUsed: number }, token)
    process.stdout.write(`${number}\n`)
  }
} else setInterval(() => undefined, 1000)
