import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'

/**
 * Which folder may import from which, besides itself. Lower layers never import higher ones, and siblings never each other.
 * `report` is what the controller hands its findings to: it knows plans and records as data, never the controller.
 */
const ALLOWED: Record<string, readonly string[]> = {
  domain: [],
  api: ['domain'],
  ownership: ['api', 'domain'],
  plan: ['api', 'domain', 'ownership'],
  source: ['api', 'domain'],
  'source/kubernetes': ['api', 'source', 'kubernetes'],
  kubernetes: ['api', 'domain', 'ownership', 'report', 'serverpilot'],
  serverpilot: [],
  check: ['domain'],
  report: ['api', 'domain', 'ownership', 'plan', 'serverpilot', 'source', 'check'],
  controller: ['api', 'domain', 'ownership', 'plan', 'serverpilot', 'source', 'check', 'report'],
  simulator: [],
  cli: [
    'kubernetes',
    'api',
    'domain',
    'ownership',
    'plan',
    'serverpilot',
    'source',
    'check',
    'report',
    'controller',
    'simulator',
    'wp-config',
    'config.ts',
  ],
  'wp-config': [],
  'config.ts': [],
  'version.ts': [],
  'main.ts': ['cli', 'config.ts', 'version.ts'],
}

/** Folders that decide and must not do: no clock, no I/O, no environment. */
const PURE = ['domain', 'plan']

const root = join(import.meta.dirname, '..', 'src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const partOf = (file: string): string => file.split('/')[0] as string
/** The one source that stands on a folder of its own layer has an entry of its own. */
const layerOf = (file: string): string => (file.startsWith('source/kubernetes/') ? 'source/kubernetes' : partOf(file))
const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)

describe('layers', () => {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    test(file, () => {
      const part = partOf(file)
      const allowed = ALLOWED[layerOf(file)]
      assert.ok(allowed, `src/${part} has no place in the layers: give it one here`)
      for (const specifier of importsOf(text)) {
        if (!specifier.startsWith('.')) continue
        const target = partOf(normalize(join(dirname(file), specifier)))
        if (target === '..') continue // package.json
        assert.ok(
          target === part || allowed.includes(target),
          `${file} imports ${specifier}: ${part} may not know ${target}`,
        )
      }
    })
  }

  test('only main.ts touches process', () => {
    for (const file of files) {
      if (file === 'main.ts') continue
      const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      const uses = [...text.matchAll(/\bprocess\.(env|argv|exit|exitCode|on|once|stdout|stderr|stdin)\b/g)]
      assert.deepEqual(
        uses.map((match) => match[0]),
        [],
        file,
      )
    }
  })

  test('what decides has no clock and no I/O', () => {
    for (const file of files.filter((each) => PURE.includes(partOf(each)))) {
      const text = readFileSync(join(root, file), 'utf8')
      assert.doesNotMatch(text, /Date\.now|new Date\(\)|Math\.random|setTimeout/, file)
      for (const specifier of importsOf(text))
        assert.doesNotMatch(specifier, /^(node:(fs|http|https|dns|child_process)|axios|pino|prom-client)/, file)
    }
  })
})
