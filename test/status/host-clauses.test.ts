import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostClauses } from '../../src/status/host-clauses.ts'

const CASES: [string, [host: string, message: string][], string | undefined, string[]][] = [
  ['nothing', [], undefined, []],
  [
    'one clause per message, in order',
    [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
    ],
    undefined,
    ['a, c: x', 'b: y'],
  ],
  ['a message that begins with its host names it once', [['a', 'a is away.']], undefined, ['a is away.']],
  [
    '… in either form',
    [['xn--bcher-kva.example', 'xn--bcher-kva.example (bücher.example) is away.']],
    undefined,
    ['xn--bcher-kva.example (bücher.example) is away.'],
  ],
  [
    'what they lack',
    [
      ['a', 'x'],
      ['b', 'b is away.'],
    ],
    'No certificate',
    ['No certificate for a: x', 'No certificate: b is away.'],
  ],
  [
    'ten are named',
    Array.from({ length: 12 }, (_, i) => [`h${i}`, 'x']),
    undefined,
    ['h0, h1, h2, h3, h4, h5, h6, h7, h8, h9 and 2 more: x'],
  ],
]

for (const [name, said, lacking, clauses] of CASES)
  test(name, () => assert.deepEqual(hostClauses(said, lacking), clauses))
