import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { App } from '../../../src/api/objects.ts'
import { parseDocuments } from '../../../src/api/yaml.ts'
import type { Trouble } from '../../../src/source/manifests/listing.ts'
import type { FilesRead } from '../../../src/source/manifests/read.ts'
import { advance, changedApps, NOTHING, type State } from '../../../src/source/manifests/state.ts'
import { app, mapping } from './folder.ts'

function look(files: Record<string, string>, troubles: Trouble[] = []): FilesRead {
  const read = Object.entries(files).map(([path, text]) => ({
    path,
    digest: text,
    size: text.length,
    parsed: parseDocuments(text, { file: path }),
  }))
  return { files: read, troubles, watch: [] }
}

function steps(...looks: FilesRead[]): State {
  return looks.reduce((state, next) => advance(state, next), NOTHING)
}

const domains = (state: State) =>
  [...state.mappings.values()].map(({ domain }) => domain.replace('.example.com', '')).sort()

describe('advance', () => {
  test('the same look again changes nothing', () => {
    const first = steps(look({ 'a.yaml': mapping('a'), 'app.yaml': app() }))
    const second = advance(first, look({ 'a.yaml': mapping('a'), 'app.yaml': app() }))
    assert.deepEqual(changedApps(first, second), new Set())
    assert.deepEqual(second.mappings, first.mappings)
  })

  test('an object declared twice is a fault that names both places; a copy takes nothing over', () => {
    const copy = mapping('a', 'copy.example.com')
    const state = steps(look({ 'b.yaml': mapping('a') }), look({ 'a.yaml': `# copy\n${copy}`, 'b.yaml': mapping('a') }))
    assert.deepEqual(domains(state), ['a'])
    assert.equal(state.faults.length, 1)
    assert.equal(state.faults[0]?.place, 'a.yaml:2')
    assert.match(state.faults[0]?.message ?? '', /DomainMapping default\/a is declared twice, here and at b.yaml:1/)
    assert.deepEqual(state.faults[0]?.object, { kind: 'DomainMapping', key: 'default/a' })
    assert.match(state.failure?.message ?? '', /declared twice/)
    const moved = advance(state, look({ 'a.yaml': copy }))
    assert.deepEqual(domains(moved), ['copy'])
    assert.equal(moved.failure, undefined)
    assert.equal(moved.mappings.get('default/a')?.generation, 2)
  })

  test('twice in one file', () => {
    const state = steps(look({ 'a.yaml': `${mapping('a')}---\n${mapping('a', 'b.example.com')}` }))
    assert.deepEqual(domains(state), ['a'])
    assert.match(state.faults[0]?.message ?? '', /here and at a.yaml:1/)
    assert.equal(state.faults[0]?.place, 'a.yaml:8')
  })

  test('a broken file keeps what it said, but for what is good in it now or has moved', () => {
    const good = look({ 'a.yaml': [mapping('a'), mapping('b'), mapping('c')].join('---\n') })
    const broken = [mapping('a', 'new.example.com'), mapping('b').replace('spec', 'spek')].join('---\n')
    const state = steps(good, look({ 'a.yaml': broken, 'c.yaml': mapping('c', 'moved.example.com') }))
    assert.deepEqual(domains(state), ['b', 'moved', 'new'])
    assert.ok(state.failure)
    const again = advance(state, look({ 'a.yaml': mapping('a') }))
    assert.deepEqual(domains(again), ['a'])
    assert.equal(again.failure, undefined)
  })

  test('a-faulty-object-obeys-its-brakes: what stays of an object says what is wrong with its newest version', () => {
    const good = { 'app.yaml': app(), 'a.yaml': [mapping('a'), mapping('b')].join('---\n') }
    const faultyMapping = [mapping('a').replace('domain:', 'www: Maybe\n  domain:'), mapping('b')].join('---\n')
    const broken = look({ 'app.yaml': app('network', ', suspend: true, polcy: Observe'), 'a.yaml': faultyMapping })
    const first = steps(look(good))
    const state = advance(first, broken)
    const faults = (of: State) =>
      [...of.apps.values(), ...of.mappings.values()].map(({ name, fault }) => [name, fault?.replace(/.*: /, '')])
    const said = [
      ['a', 'spec.www must be one of Always, MainOnly, Never, not the text "Maybe"'],
      ['b', undefined],
      ['network', 'spec.polcy is not a known field; did you mean policy?'],
    ]
    assert.deepEqual(faults(state).toSorted(), said)
    assert.deepEqual(
      state.invalid.map(({ kind, key, generation, place, app }) => [kind, key, generation, place, app]),
      [
        ['ServerPilotApp', 'default/network', 1, 'app.yaml:4:48', undefined],
        ['DomainMapping', 'default/a', 1, 'a.yaml:5:3', 'default/network'],
      ],
    )
    assert.deepEqual(changedApps(first, state), new Set(['default/network']))
    assert.equal(state.apps.get('default/network')?.spec.suspend, false)
    // The app's file goes while the other is still broken, so that nothing is wrong with its newest version any more.
    const appWent = advance(state, look({ 'a.yaml': faultyMapping }))
    assert.equal(appWent.apps.get('default/network')?.fault, undefined)
    const mended = advance(state, look(good))
    assert.deepEqual(mended.invalid, [])
    assert.deepEqual(
      faults(mended).filter(([, fault]) => fault !== undefined),
      [],
    )
    // A faulty copy beside a good one takes nothing over.
    const copied = advance(first, look({ ...good, 'copy.yaml': app('network', ', polcy: Observe') }))
    assert.deepEqual(copied.invalid, [])
    assert.notEqual(copied.failure, undefined)
  })

  test('an app that never was valid is known, and no default app stands in for it', () => {
    const ambient = { ...(parseDocuments(app('ambient'), { file: 'env' }).apps[0] as App), place: 'the environment' }
    const state = advance(NOTHING, look({ 'app.yaml': app('network', ', polcy: Observe') }), ambient)
    assert.deepEqual([...state.apps], [])
    assert.deepEqual(
      state.invalid.map(({ key }) => key),
      ['default/network'],
    )
  })

  test('a trouble covers the files below it, and none beside it', () => {
    const files = { 'x/a.yaml': mapping('a'), 'x2/b.yaml': mapping('b') }
    const trouble = { place: './x', message: 'gone' }
    assert.deepEqual(domains(steps(look(files), look({}, [trouble]))), ['a'])
    assert.deepEqual(domains(steps(look(files), look({}, [{ ...trouble, place: '.' }]))), ['a', 'b'])
  })

  test('the generation counts changes of the spec, not of the place or a label', () => {
    const labelled = `# moved\n${mapping('a').replace('name: a}', 'name: a, labels: {x: z}}')}`
    const second = steps(look({ 'a.yaml': mapping('a') }), look({ 'a.yaml': labelled }))
    assert.equal(second.mappings.get('default/a')?.generation, 1)
    const third = advance(second, look({ 'a.yaml': mapping('a', 'b.example.com') }))
    assert.equal(third.mappings.get('default/a')?.generation, 2)
    const gone = advance(third, look({}))
    const back = advance(gone, look({ 'a.yaml': mapping('a', 'b.example.com') }))
    assert.equal(back.mappings.get('default/a')?.generation, 2)
  })
})

describe('changedApps', () => {
  const before = look({
    'app.yaml': [app('one'), app('two'), app('three')].join('---\n'),
    'a.yaml': mapping('a', undefined, 'one'),
  })
  const apps = before.files[0]?.digest ?? ''
  const rows: [string, FilesRead, string[]][] = [
    ['nothing', before, []],
    ['only the place', look({ 'app.yaml': `# x\n${apps}`, 'a.yaml': `# x\n${mapping('a', undefined, 'one')}` }), []],
    ['a domain', look({ 'app.yaml': apps, 'a.yaml': mapping('a', 'b.example.com', 'one') }), ['one']],
    ['a mapping that goes', look({ 'app.yaml': apps }), ['one']],
    ['a mapping that goes over', look({ 'app.yaml': apps, 'a.yaml': mapping('a', undefined, 'two') }), ['one', 'two']],
    [
      'a mapping of no app',
      look({ 'app.yaml': apps, 'a.yaml': mapping('a', undefined, 'one'), 'b.yaml': mapping('b') }),
      ['network'],
    ],
    [
      'an app',
      look({ 'app.yaml': apps.replace('AAAAAAAAAAAAAAAA', 'B'), 'a.yaml': mapping('a', undefined, 'one') }),
      ['one'],
    ],
    [
      'a failure',
      look({ 'app.yaml': apps, 'a.yaml': mapping('a', undefined, 'one'), 'b.yaml': 'x: [' }),
      ['one', 'three', 'two'],
    ],
  ]
  for (const [what, next, wanted] of rows) {
    test(what, () => {
      const state = steps(before)
      const keys = [...changedApps(state, advance(state, next))].sort()
      assert.deepEqual(
        keys,
        wanted.map((name) => `default/${name}`),
      )
    })
  }
})
