import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeRecord, encodeRecord } from '../../src/ownership/decode.ts'
import { RecordCorruptError } from '../../src/ownership/store.ts'
import { anyRecord } from './arbitraries.ts'
import { hosts, recordOf } from './records.ts'

function refusal(text: string | Buffer): string {
  try {
    decodeRecord(text, 'state/r.json')
  } catch (error) {
    assert.ok(error instanceof RecordCorruptError)
    return error.message
  }
  return assert.fail(`accepted: ${text}`)
}

describe('decodeRecord', () => {
  test('gives-back-what-was-encoded', () => {
    fc.assert(fc.property(anyRecord, (record) => assert.deepEqual(decodeRecord(encodeRecord(record), 'x'), record)))
  })

  test('truncated-at-every-byte', () => {
    const bytes = Buffer.from(encodeRecord({ ...recordOf(hosts(5)), lastApproval: 'é漢' }))
    // The last byte is the end of the line, without which the record is complete.
    for (let length = 0; length < bytes.length - 1; length++) {
      const message = refusal(bytes.subarray(0, length))
      assert.match(message, /^The ownership record state\/r\.json cannot be read: it is (empty|not complete JSON)\./)
      assert.match(message, /delete it; its hosts then count as foreign[^.]*\. Or restore it from a backup/)
    }
  })

  test('a-newer-version-says-so-and-what-to-do', () => {
    const message = refusal(JSON.stringify({ version: 2, hosts: 'another shape' }))
    assert.match(message, /state\/r\.json has version 2: a newer domainpilot wrote it, this one reads version 1/)
    assert.match(message, /Run that newer domainpilot again/)
  })

  test('names-the-field', () => {
    const record = recordOf(hosts(1))
    const cases: [unknown, RegExp][] = [
      [[], /cannot be read: it/],
      [null, /cannot be read: it/],
      [{ ...record, version: 0 }, /field version/],
      [{ ...record, version: '1' }, /field version/],
      [{ ...record, hosts: { 'h0.example': { state: 'Mine' } } }, /field hosts → h0\.example/],
      [{ ...record, hosts: { constructor: record.hosts[hosts(1)[0]!] } }, /field hosts → constructor/],
      [{ ...record, hosts: [] }, /field hosts/],
      [{ ...record, removals: [{ host: 'A.example', at: 1 }] }, /field removals → 0 → host/],
      [{ ...record, removals: [{ host: 'a.example', at: null }] }, /field removals → 0 → at/],
      [{ ...record, approvalsUsed: -1 }, /field approvalsUsed/],
      [{ ...record, appId: undefined }, /field appId/],
    ]
    for (const [value, pattern] of cases) assert.match(refusal(JSON.stringify(value)), pattern)
    assert.match(refusal(Buffer.from([0x7b, 0xff, 0x7d])), /not complete JSON/)
    assert.match(refusal('{"__proto__": {"version": 1}}'), /field version/)
  })

  test('fields-of-a-later-program-survive', () => {
    const text = JSON.stringify({ ...recordOf(hosts(1)), later: { x: 1 } })
    assert.match(encodeRecord(decodeRecord(text, 'x')), /"later"/)
  })

  test('any-damage-is-an-error-of-its-kind-or-a-record', () => {
    const text = encodeRecord(recordOf(hosts(2)))
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ unit: 'binary', maxLength: 3 }), (at, noise) => {
        try {
          decodeRecord(text.slice(0, at) + noise + text.slice(at + noise.length), 'x')
        } catch (error) {
          assert.ok(error instanceof RecordCorruptError)
        }
      }),
    )
  })

  test('what-could-not-be-read-is-not-written', () => {
    const record = recordOf(hosts(1), [{ host: 'h0.example' as never, at: Number.NaN }])
    assert.throws(() => encodeRecord(record), /about to be written/)
  })
})
