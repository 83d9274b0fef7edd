import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'

/** Lower first: a folder stands on folders before it, never on one after it. */
const LAYERS = [
  'version.ts',
  'domain',
  'time',
  'log',
  'files',
  'wp-config',
  'simulator',
  'api',
  'serverpilot',
  'kubernetes',
  'check',
  'ownership',
  'plan',
  'source',
  'status',
  'report',
  'controller',
  'setup',
  'cli',
  'main.ts',
]

/** What decides and must not do: no clock, no I/O, no environment. Folders, and single files. */
const PURE = ['domain/', 'plan/', 'controller/app/decide.ts']

/** The folders whose code sets timers. */
const TIMERS = ['time/', 'simulator/']

const root = join(import.meta.dirname, '..', 'src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const partOf = (file: string): string => file.split('/')[0] as string
const importsOf = (file: string): string[] =>
  [...(texts.get(file) ?? '').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
/** The files of src/ that a file imports, types included. */
const targetsOf = (file: string): string[] =>
  importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file), specifier)))
    .filter((target) => texts.has(target))
/** A file's text without its comments. */
const codeOf = (file: string): string => (texts.get(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')

/** A way from a node back to itself; undefined when there is none. */
function circleOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(node)
    if (at >= 0) return [...way.slice(at), node]
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...way, node])
      if (circle !== undefined) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const circle = visit(node, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

/** What imports what, with files put together by `by`; inside of one group nothing counts. */
function graphBy(by: (file: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>()
  for (const file of files) {
    const own = by(file)
    const targets = graph.get(own) ?? new Set()
    graph.set(own, targets)
    for (const target of targetsOf(file)) if (by(target) !== own) targets.add(by(target))
  }
  return graph
}

describe('layers', () => {
  for (const file of files) {
    test(file, () => {
      const own = LAYERS.indexOf(partOf(file))
      assert.ok(own >= 0, `src/${partOf(file)} has no place in the layers: give it one here`)
      for (const target of targetsOf(file))
        assert.ok(LAYERS.indexOf(partOf(target)) <= own, `${file} imports ${target}, which stands higher`)
    })
  }

  test('no file leads back to itself', () => {
    assert.equal(circleOf(graphBy((file) => file))?.join(' -> '), undefined)
  })

  test('no folder leads back to itself', () => {
    assert.equal(circleOf(graphBy((file) => (file.includes('/') ? dirname(file) : file)))?.join(' -> '), undefined)
  })

  test('a circle is found', () => {
    const graph = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['c', new Set<string>()],
      ['d', new Set(['b'])],
    ])
    assert.deepEqual(circleOf(graph), ['b', 'd', 'b'])
  })

  test('only main.ts touches process', () => {
    for (const file of files) {
      if (file === 'main.ts') continue
      const uses = [...codeOf(file).matchAll(/\bprocess\.(env|argv|exit|exitCode|on|once|stdout|stderr|stdin)\b/g)]
      assert.deepEqual(
        uses.map((match) => match[0]),
        [],
        file,
      )
    }
  })

  test('what decides has no clock and no I/O', () => {
    for (const file of files.filter((each) => PURE.some((place) => each.startsWith(place)))) {
      assert.doesNotMatch(codeOf(file), /Date\.now|new Date\(\)|Math\.random|setTimeout|\bawait\b|\basync\b/, file)
      for (const specifier of importsOf(file))
        assert.doesNotMatch(specifier, /^(node:(fs|http|https|dns|child_process)|axios|pino|prom-client)/, file)
    }
  })

  test('what Node 20 does not have yet is not called', () => {
    for (const file of files)
      assert.doesNotMatch(
        codeOf(file),
        /\bPromise\.(withResolvers|try)\b|\b(Object|Map)\.groupBy\b|\bArray\.fromAsync\b/,
        file,
      )
  })

  test('every timer goes through time/', () => {
    // The script of the status page runs in a browser.
    for (const file of files.filter((each) => each !== 'report/page-script.ts')) {
      if (TIMERS.some((place) => file.startsWith(place))) continue
      assert.doesNotMatch(codeOf(file), /\bset(Timeout|Interval)\(|timers\/promises|\bperformance\.now\b/, file)
    }
  })
})
