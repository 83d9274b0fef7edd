import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visible, visibleLines } from '../../src/log/visible.ts'

test('names-of-others-are-text: what is not a character to be read is escaped, and twice is once', () => {
  const name = 'a\x1b[2J\r\n\tb\u0085\u009b1m\u2028\u202ec\u2066ü'
  const shown = 'a\\u001b[2J\\u000d\\u000a\\u0009b\\u0085\\u009b1m\\u2028\\u202ec\\u2066ü'
  assert.equal(visible(name), shown)
  assert.equal(visible(shown), shown)
  assert.equal(visibleLines(`x\x1b\ny${'\u009b'}\n`), 'x\\u001b\ny\\u009b\n')
})

test('names-of-others-are-text: JSON says the same as before', () => {
  const value = { 'a\u009b\n': 'b\x1b\u202e"\\' }
  assert.deepEqual(JSON.parse(visibleLines(JSON.stringify(value, null, 2))), value)
})
