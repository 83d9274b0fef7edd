import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { planOf } from './plan.ts'
import { PLANTED_FAULTS } from './planted-faults.ts'
import { shrink } from './shrink.ts'
import { run } from './simulation.ts'

const HOURS = 6
/** Worlds of files and of clusters, with one daemon and with two. */
const SEEDS = ['1', '2', '3', '4', '5', '6', '7', '8']

describe('worlds that live on a seed', () => {
  for (const seed of SEEDS) {
    test(`seed ${seed}: every promise is kept for ${HOURS} hours`, { timeout: 600_000 }, async (t) => {
      const plan = planOf(seed, HOURS)
      const result = await run(plan)
      t.diagnostic(`${plan.setting.place}, ${plan.setting.daemons} daemon(s), ${result.events} events`)
      assert.deepEqual(result.violations, [], result.story.join('\n'))
      assert.ok(result.hours >= HOURS)
    })
  }

  test('ten seeds that nobody has seen before', { timeout: 600_000 }, async (t) => {
    const first = Date.now() % 1_000_000_000
    t.diagnostic(`seeds ${first} to ${first + 9}: npm run soak -- --hours ${HOURS} --from SEED lives through one again`)
    for (let seed = first; seed < first + 10; seed++) {
      const { violations, story } = await run(planOf(String(seed), HOURS))
      assert.deepEqual(violations, [], `npm run soak -- --hours ${HOURS} --from ${seed}\n${story.join('\n')}`)
    }
  })

  for (const [seed, what] of [
    ['9', 'with a cluster'],
    ['11', 'with databases'],
  ] as const)
    test(`a seed decides everything in a world ${what}`, async () => {
      const [first, second] = [await run(planOf(seed, 6)), await run(planOf(seed, 6))]
      assert.deepEqual([second.story, second.log, second.turns], [first.story, first.log, first.turns])
    })

  test('a promise that is broken is told as a story that still breaks it', { timeout: 600_000 }, async () => {
    const plan = planOf('3', 6)
    const lie = {
      name: 'a-lie',
      happen: (world: Parameters<(typeof plan.events)[0]['kind']['happen']>[0]) => {
        world.ledger.violate('said', 'this is not so')
        return 'a promise is broken'
      },
    }
    const events = [...plan.events.slice(0, 4), { ...plan.events[4]!, kind: lie }, ...plan.events.slice(5)]
    const broken = await run({ ...plan, events })
    const { plan: shorter, result } = await shrink({ ...plan, events }, broken, 12)
    assert.deepEqual(
      shorter.events.map(({ kind }) => kind.name),
      ['a-lie'],
    )
    assert.match(result.story.at(-1) ?? '', /BROKEN \(said\): this is not so/)
  })

  test('each planted fault fits the code', () => {
    for (const { name, file, from } of PLANTED_FAULTS) {
      const text = readFileSync(join(import.meta.dirname, '../../src', file), 'utf8')
      assert.equal(text.split(from).length, 2, `${name}: ${file} has to have this once: ${from}`)
    }
    assert.ok(PLANTED_FAULTS.length >= 20)
  })
})
