import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { decodeObject } from '../src/api/decode.ts'
import { ANNOTATION, API_VERSION } from '../src/api/objects.ts'
import { KINDS, type Kind, specSchemas } from '../src/api/schema.ts'
import { parseDocuments } from '../src/api/yaml.ts'
import { buildProgram } from '../src/cli/program.ts'
import { metricsDocs } from '../src/report/metrics-table.ts'
import { flagsDocs } from '../src/setup/flags.ts'
import { partsOf } from '../src/status/condition-types.ts'
import { crdsYaml } from '../src/status/crd.ts'
import { EVENTS, REASONS } from '../src/status/reasons.ts'
import { silentIo } from './cli/silent-io.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
    .sort(),
]

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

interface Block {
  language: string
  text: string
  line: number
}

/** Fenced blocks of a page, with what remains when they are taken out. */
function divide(markdown: string): { blocks: Block[]; prose: string } {
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { indent: string; block: Block } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^(\s*)```(\S*)\s*$/.exec(line)
    if (open === undefined && fence !== null) {
      open = { indent: fence[1] ?? '', block: { language: fence[2] ?? '', text: '', line: index + 1 } }
    } else if (open !== undefined && fence !== null) {
      blocks.push(open.block)
      open = undefined
    } else if (open !== undefined) open.block.text += `${line.slice(open.indent.length)}\n`
    else prose.push(line)
  }
  assert.equal(open, undefined, 'a fenced block is not closed')
  return { blocks, prose: prose.join('\n') }
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of divide(read(page)).prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    let anchor = slug
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`
    anchors.add(anchor)
  }
  return anchors
}

test('docs/flags.md and docs/metrics.md are what `npm run docs` writes', () => {
  assert.equal(read('docs/flags.md'), flagsDocs())
  assert.equal(read('docs/metrics.md'), metricsDocs())
  assert.equal(read('manifests/crd/crds.yaml'), crdsYaml())
  // The chart's copies: whoever edits one of these runs `npm run docs`.
  for (const copy of readdirSync(join(ROOT, 'manifests/chart/files'))) {
    const [own] = ['crd', 'admission', 'monitoring'].filter((each) => existsSync(join(ROOT, 'manifests', each, copy)))
    assert.equal(read(`manifests/chart/files/${copy}`), read(`manifests/${own}/${copy}`), copy)
  }
})

test('troubleshooting has a heading for every reason of a condition and of an Event, and for no other', () => {
  const page = divide(read('docs/troubleshooting.md')).prose
  const sections = [...page.matchAll(/^## (\S+)$/gm)].map(([, name]) => name)
  const wanted = Object.keys(REASONS)
  assert.deepEqual(
    sections.filter((name) => name !== 'Events'),
    wanted,
  )
  const anchors = anchorsOf('docs/troubleshooting.md')
  for (const reason of [...wanted, ...Object.keys(EVENTS)]) assert.ok(anchors.has(reason.toLowerCase()), reason)
  for (const reason of wanted) {
    const section = page.slice(page.indexOf(`## ${reason}\n`)).split(/\n## /)[0] ?? ''
    assert.match(section, /\*\*Why:\*\* [^*]+\n\n\*\*What to do:\*\* .+/, reason)
  }
})

/** What stands in the first cells of the table below a heading. */
function firstCells(page: string, heading: string): string[] {
  const section = read(page).split(`\n${heading}\n`)[1]?.split(/\n#/)[0] ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell)
}

test('every type of condition has a row in how it decides, every annotation one in objects, and there are no other rows', () => {
  const types = ['Ready', 'Reconciling', 'Stalled', ...KINDS.flatMap((kind) => partsOf(kind).map(({ type }) => type))]
  assert.deepEqual(firstCells('docs/how-it-decides.md', '## Conditions').sort(), [...new Set(types)].sort())
  assert.deepEqual(firstCells('docs/objects.md', '### Annotations').sort(), Object.values(ANNOTATION).sort())
})

test('two-kinds-of-one-name: commands for kubectl say dmap, spapp or the full names, and a page says why', () => {
  const sources = ['src', 'manifests', 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  for (const file of [...PAGES, ...sources.filter((name) => /\.(ts|txt|yaml|tpl|sh)$/.test(name))])
    for (const [, words = ''] of read(file).matchAll(/kubectl ((?!create )[^\n`]*)/g))
      assert.doesNotMatch(words, /\b(domainmapping|serverpilotapp)s?(?![\w.])/i, `${file}: kubectl ${words}`)
  assert.match(read('docs/kubernetes.md'), /Knative.*`dmap`/s)
})

test('every relative link and anchor leads somewhere', () => {
  const broken: string[] = []
  for (const page of PAGES) {
    const prose = divide(read(page)).prose.replace(/`[^`\n]*`/g, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path))
      if (file.startsWith('..') || !existsSync(join(ROOT, file))) broken.push(`${page}: ${target}`)
      else if (anchor !== undefined && !anchorsOf(file).has(anchor)) broken.push(`${page}: ${target}`)
    }
  }
  assert.deepEqual(broken, [])
})

test('every object in a YAML block is valid', () => {
  let objects = 0
  for (const page of PAGES) {
    for (const { language, text, line } of divide(read(page)).blocks) {
      const documents =
        language === 'yaml' ? [text] : [...text.matchAll(/<<-?\s*'?(\w+)'?\n([\s\S]*?)^\s*\1$/gm)].map(hereText)
      for (const document of documents) {
        const { apps, mappings, secrets, faults } = parseDocuments(document, { file: `${page}:${line}` })
        assert.deepEqual(
          faults.map((fault) => `${fault.place}: ${fault.message}`),
          [],
        )
        const found = apps.length + mappings.length
        if (document.includes(API_VERSION)) assert.ok(found > 0, `${page}:${line} declares nothing`)
        objects += found + secrets.length
      }
    }
  }
  assert.ok(objects >= 6, `${objects} objects found: are the blocks still marked as yaml?`)
})

const hereText = (match: RegExpMatchArray): string => match[2] ?? ''

test('every command that a page names exists, with its flags', () => {
  const commands = new Map(
    buildProgram(silentIo(), () => undefined).commands.map((command) => [
      command.name(),
      new Set(['--help', ...command.options.flatMap((option) => [option.long ?? '', option.short ?? ''])]),
    ]),
  )
  const named = new Set<string>()
  for (const page of PAGES) {
    const { blocks, prose } = divide(read(page))
    const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
    const lines = blocks
      .filter((block) => block.language === 'sh')
      .flatMap((block) => block.text.replace(/(^|\s)#.*$/gm, '').split('\n'))
    for (const line of [...spans, ...lines]) {
      for (const [, name = '', rest = ''] of line.matchAll(
        /(?:^|[\s;&|(])(?:kubectl-)?domainpilot ([a-z]+)\b([^#;&|)>]*)/g,
      )) {
        const flags = commands.get(name)
        assert.ok(flags, `${page}: domainpilot ${name}`)
        for (const flag of rest.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? []) assert.ok(flags.has(flag), `${page}: ${line}`)
        named.add(name)
      }
    }
  }
  const readme = read('README.md')
  for (const name of commands.keys()) {
    if (name !== 'help') assert.ok(readme.includes(`| \`domainpilot ${name}\` |`), `README.md lacks ${name}`)
  }
  assert.ok(named.size > 8)
})

interface Field {
  path: string
  required: boolean
  schema: Record<string, unknown>
}

/** Every field of a kind that holds a value of its own; a label selector counts as one. */
function fieldsOf(kind: Kind): Field[] {
  const fields: Field[] = []
  const walk = (schema: Record<string, unknown>, path: string): void => {
    const required = (schema.required ?? []) as string[]
    for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
      const at = `${path}.${name}`
      if (field.properties !== undefined && name !== 'selector') walk(field, at)
      else fields.push({ path: at, required: required.includes(name), schema: field })
    }
  }
  walk(z.toJSONSchema(specSchemas[kind], { io: 'input' }) as Record<string, unknown>, 'spec')
  return fields
}

/** Cells of the row of a field in docs/objects.md. */
function rowOf(path: string, page: string): string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${path}\` |`))
  assert.ok(row, `docs/objects.md has no row for ${path}`)
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

test('docs/objects.md has every field of both kinds, with its default, its values and its bounds', () => {
  const page = read('docs/objects.md')
  const known = new Set<string>()
  for (const kind of KINDS) {
    const [, section = ''] = page.split(`\n## ${kind}\n`)
    for (const { path, required, schema } of fieldsOf(kind)) {
      const [, standard = '', values = ''] = rowOf(path, section.split(/\n## /)[0] ?? '')
      known.add(path)
      if (required) assert.match(standard, /^required/, path)
      else if (schema.default !== undefined) {
        const shown = typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)
        assert.equal(standard, `\`${shown}\``, path)
      } else assert.doesNotMatch(standard, /required/, path)
      for (const value of (schema.enum ?? []) as string[])
        assert.ok(values.includes(`\`${value}\``), `${path}: ${value}`)
      if (schema.type === 'integer') assert.equal(values, `${schema.minimum} to ${schema.maximum}`, path)
    }
  }
  for (const [, path = ''] of page.matchAll(/^\| `(spec\.[^`]+)` \|/gm)) assert.ok(known.has(path), `no field ${path}`)
})

test('bounds of durations in docs/objects.md are those of the schema', () => {
  const page = read('docs/objects.md')
  const rows = [...page.matchAll(/^\| `spec\.([^`]+)` \| `[^`]*` \| (\d+(?:ms|s|h)) to (\d+h) \|/gm)]
  assert.equal(rows.length, 6)
  for (const [, path = '', min = '', max = ''] of rows) {
    const judge = (text: string): boolean => {
      const spec: Record<string, unknown> = { appId: 'nlcN0TwdZAyNEgdp' }
      const [group = '', name = ''] = path.split('.')
      spec[group] = { [name]: text, ...(group === 'wordpress' ? { connectionSecretRef: { name: 'db' } } : {}) }
      const value = { apiVersion: API_VERSION, kind: 'ServerPilotApp', metadata: { name: 'a' }, spec }
      return decodeObject(value, { place: 'test', source: 'test' }).ok
    }
    assert.deepEqual([judge(min), judge(max), judge(`${Number.parseInt(max, 10) + 1}h`)], [true, true, false], path)
    const unit = min.endsWith('ms') ? 1 : min.endsWith('s') ? 1000 : 3_600_000
    const below = Number.parseInt(min, 10) * unit - 1
    if (below > 0) assert.equal(judge(`${below}ms`), false, path)
  }
})
