import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { matchesSelector, parseSelector } from '../../src/api/selector.ts'

describe('label selectors', () => {
  const labels = { tier: 'shops', team: 'a' }
  const rows: [string, boolean][] = [
    ['', true],
    ['tier=shops', true],
    ['tier==shops,team=a', true],
    ['tier=blogs', false],
    ['tier!=blogs', true],
    ['absent!=x', true],
    ['tier in (blogs, shops)', true],
    ['tier notin (blogs, shops)', false],
    ['tier', true],
    ['!tier', false],
    ['!absent , team in (a,b)', true],
  ]
  for (const [text, expected] of rows) {
    test(text || '(empty)', () => {
      const selector = parseSelector(text)
      assert.ok(selector)
      assert.equal(matchesSelector(labels, selector), expected)
    })
  }
  for (const text of ['=x', 'a=b=c', 'a in b', 'a in (b', '!!a', 'a b']) {
    test(`${text} is none`, () => assert.equal(parseSelector(text), undefined))
  }
})
