import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, type Event, IDLE, type State, step, type Trouble } from '../../src/kubernetes/reflector-state.ts'

type Unnumbered<E> = E extends { round: number } ? Omit<E, 'round'> : E

/** Walks from the start through events of the round at hand; gives the last state and its commands. */
function walk(...events: Unnumbered<Event>[]): { state: State; commands: readonly Command[] } {
  let at = step(IDLE, { type: 'start' })
  for (const event of events) at = step(at.state, { ...event, round: at.state.round } as Event)
  return at
}

const put = (version: string) => ({ type: 'object', change: 'put', version }) as const
const bookmark = (version: string, initialEnd = false) => ({ type: 'bookmark', version, initialEnd }) as const
const SYNCED = [put('5'), bookmark('10', true)] as const
const fail = (trouble: Trouble, afterMs = 0, retryAfter?: number) =>
  ({ type: 'failed', trouble, message: trouble, afterMs, ...(retryAfter === undefined ? {} : { retryAfter }) }) as const
const done = (commands: readonly Command[]) => commands.map((command) => command.do).join()

describe('collecting', () => {
  test('starts with a stream of everything', () => {
    const { state, commands } = walk()
    assert.equal(state.at, 'collecting')
    assert.deepEqual(commands, [{ do: 'begin' }, { do: 'stream', from: 'start' }])
  })

  test('objects are put aside until all are there', () => {
    assert.deepEqual(walk(put('5')).commands, [{ do: 'stage', change: 'put' }])
    assert.deepEqual(walk(put('5'), bookmark('7')).commands, [], 'another bookmark ends nothing')
    const { state, commands } = walk(...SYNCED)
    assert.deepEqual(commands, [{ do: 'swap' }])
    assert.equal(state.at === 'watching' && state.version, '10')
    assert.equal(state.synced, true)
  })

  test('a server without streams is read in pages, at once and from then on', () => {
    const first = walk(fail('unsupported'))
    assert.deepEqual(first.commands, [{ do: 'begin' }, { do: 'page' }])
    const next = walk(fail('unsupported'), { type: 'page', version: '9', next: 'more' })
    assert.deepEqual(next.commands, [{ do: 'page', next: 'more' }])
    const end = walk(fail('unsupported'), { type: 'page', version: '9' })
    assert.deepEqual(end.commands, [{ do: 'swap' }, { do: 'stream', from: { version: '9' } }])
    const again = walk(fail('unsupported'), { type: 'page', version: '9' }, fail('expired'), { type: 'woke' })
    assert.deepEqual(again.commands, [{ do: 'begin' }, { do: 'page' }])
  })

  test('a page that expired starts all over', () => {
    const { state } = walk(fail('unsupported'), { type: 'page', version: '9', next: 'more' }, fail('expired'))
    assert.equal(state.at === 'waiting' && state.to, 'collect')
    assert.equal(state.synced, false)
  })

  test('an end before the end is a failure', () => {
    const { state } = walk(put('5'), { type: 'ended', afterMs: 60_000 })
    assert.equal(state.at === 'waiting' && state.to, 'collect')
    assert.equal(state.failure, 'the server ended the watch')
  })

  test('a stream that falls silent gives way to pages', () => {
    assert.equal(walk(put('5'), fail('silent'), { type: 'woke' }).commands[1]?.do, 'page')
  })

  test('data that went backwards removes nothing, until it was read a second time', () => {
    const back = walk(...SYNCED, fail('expired'), { type: 'woke' }, bookmark('9', true))
    assert.equal(done(back.commands), 'merge,wait')
    assert.match(back.state.failure ?? '', /went back from version 10 to 9/)
    const past = walk(
      ...SYNCED,
      fail('expired'),
      { type: 'woke' },
      bookmark('9', true),
      { type: 'woke' },
      bookmark('9', true),
    )
    assert.equal(done(past.commands), 'swap')
    assert.equal(past.state.failure, undefined)
    assert.equal(past.state.rereads, 1)
    const further = walk(...SYNCED, fail('expired'), { type: 'woke' }, bookmark('9', true), { type: 'woke' })
    const still = step(further.state, { ...bookmark('8', true), round: further.state.round })
    assert.equal(done(still.commands), 'merge,wait', 'and goes back still')
  })

  test('the first reading is no reading anew', () => {
    assert.equal(walk(...SYNCED).state.rereads, 0)
    assert.equal(walk(...SYNCED, fail('garbled'), { type: 'woke' }, ...SYNCED).state.rereads, 1)
  })
})

describe('watching', () => {
  test('changes are served at once; bookmarks move the version on', () => {
    assert.deepEqual(walk(...SYNCED, put('11')).commands, [{ do: 'apply', change: 'put' }])
    const { state } = walk(...SYNCED, put('11'), bookmark('99'))
    assert.equal(state.at === 'watching' && state.version, '99')
  })

  test('an end that was due: on from the last version, without a pause or a word', () => {
    const { state, commands } = walk(...SYNCED, { type: 'ended', afterMs: 240_000 })
    assert.deepEqual(commands, [{ do: 'wait', floorMs: 0, ceilingMs: 0 }])
    assert.equal(state.failure, undefined)
    assert.deepEqual(walk(...SYNCED, { type: 'ended', afterMs: 240_000 }, { type: 'woke' }).commands, [
      { do: 'stream', from: { version: '10' } },
    ])
  })

  test('streams that end at once are not opened again and again without a pause', () => {
    const { commands } = walk(...SYNCED, { type: 'ended', afterMs: 3 })
    assert.deepEqual(commands, [{ do: 'wait', floorMs: 0, ceilingMs: 500 }])
  })

  for (const trouble of ['expired', 'garbled', 'handler'] as const) {
    test(`${trouble}: everything is read again, at first without a pause`, () => {
      const { state, commands } = walk(...SYNCED, fail(trouble))
      assert.equal(state.at === 'waiting' && state.to, 'collect')
      assert.deepEqual(commands, [{ do: 'wait', floorMs: 0, ceilingMs: 0 }])
      assert.equal(state.synced, true)
      const again = walk(...SYNCED, fail(trouble), { type: 'woke' }, ...SYNCED, fail(trouble))
      assert.deepEqual(again.commands, [{ do: 'wait', floorMs: 0, ceilingMs: 1000 }])
      assert.equal(again.state.failure, trouble)
    })
  }

  test('a connection that breaks is not told before it cannot be made anew; then everything is read again', () => {
    const once = walk(...SYNCED, fail('unreachable'))
    assert.equal(once.state.failure, undefined)
    const twice = [...SYNCED, fail('unreachable'), { type: 'woke' }, fail('unreachable')] as const
    assert.equal(walk(...twice).state.failure, 'unreachable')
    const back = walk(...twice, { type: 'woke' }, { type: 'opened' })
    assert.deepEqual([back.state.at, back.state.failure], ['collecting', 'unreachable'])
    assert.equal(walk(...twice, { type: 'woke' }, { type: 'opened' }, ...SYNCED).state.failure, undefined)
  })

  describe('a-watch-from-the-future', () => {
    const CUT = [...SYNCED, fail('unreachable'), { type: 'woke' }, { type: 'opened' }] as const
    const present = (version: string) => ({ type: 'present', version }) as const

    test('a watch that is taken up again asks for the version at which the server is', () => {
      assert.deepEqual(walk(...CUT).commands, [{ do: 'ask' }])
      const { state, commands } = walk(...CUT, present('10'))
      assert.deepEqual(commands, [])
      assert.equal(state.at === 'watching' && state.proven, true)
      assert.equal(state.failure, undefined)
      assert.deepEqual(
        walk(...CUT, put('11')).commands,
        [{ do: 'apply', change: 'put' }],
        'what comes meanwhile counts',
      )
    })

    test('an older one: the source fails, and everything is read again at once', () => {
      const { state, commands } = walk(...CUT, present('9'))
      assert.match(state.failure ?? '', /went back from version 10 to 9/)
      assert.equal(state.at === 'waiting' && state.to, 'collect')
      assert.deepEqual(commands, [{ do: 'wait', floorMs: 0, ceilingMs: 0 }])
    })

    test('a watch that failed stays failed until its version is proven', () => {
      const unasked = walk(...CUT, fail('unreachable', 60_000))
      assert.equal(unasked.state.failure, 'unreachable', 'however long it was open')
      assert.equal(unasked.state.at === 'waiting' && unasked.state.to, 'collect')
    })

    test('a watch that follows its own reading has nothing to prove', () => {
      assert.deepEqual(walk(...SYNCED, { type: 'opened' }).commands, [])
      assert.deepEqual(walk(fail('unsupported'), { type: 'page', version: '9' }, { type: 'opened' }).commands, [])
    })
  })

  for (const trouble of ['refused', 'absent'] as const) {
    test(`${trouble}: told at once; everything is read again once it is given`, () => {
      const { state } = walk(...SYNCED, fail(trouble))
      assert.equal(state.failure, trouble)
      assert.equal(state.at === 'waiting' && state.to, 'collect')
      assert.equal(walk(...SYNCED, fail(trouble), { type: 'woke' }, ...SYNCED).state.failure, undefined)
    })
  }

  test('the pauses grow to a few seconds, never below what the server asks for', () => {
    let events: Unnumbered<Event>[] = [...SYNCED]
    const ceilings: number[] = []
    for (let count = 0; count < 8; count++) {
      const { commands } = walk(...events, fail('unreachable'))
      const [wait] = commands
      if (wait?.do === 'wait') ceilings.push(wait.ceilingMs)
      events = [...events, fail('unreachable'), { type: 'woke' }]
    }
    assert.deepEqual(ceilings, [500, 1000, 2000, 3000, 3000, 3000, 3000, 3000])
    const asked = walk(...SYNCED, fail('unreachable', 0, 7000)).commands[0]
    assert.equal(asked?.do === 'wait' && asked.floorMs, 7000)
  })
})

describe('rounds', () => {
  test('what comes from an older round is ignored', () => {
    const { state } = walk(...SYNCED, fail('expired'), { type: 'woke' })
    for (const event of [put('12'), bookmark('12', true), fail('refused'), { type: 'woke' }] as const) {
      const next = step(state, { ...event, round: state.round - 1 } as Event)
      assert.equal(next.state, state)
      assert.deepEqual(next.commands, [])
    }
  })

  test('after the end nothing happens any more', () => {
    const { state } = walk(...SYNCED)
    const stopped = step(state, { type: 'stop' }).state
    assert.equal(stopped.at, 'stopped')
    for (const round of [state.round, stopped.round])
      assert.deepEqual(step(stopped, { ...put('12'), round }), { state: stopped, commands: [] })
    assert.deepEqual(step(stopped, { type: 'start' }).commands, [])
  })
})
