import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listNames } from '../../src/domain/list-names.ts'

test('as many as are asked for, and how many more there are', () => {
  const names = ['a', 'b', 'c']
  assert.equal(listNames([], 2), '')
  assert.equal(listNames(names, 3), 'a, b, c')
  assert.equal(listNames(names, 2), 'a, b and 1 more')
  assert.equal(listNames(names, 1, '; '), 'a and 2 more')
})
