import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KubernetesError } from '../../src/kubernetes/http.ts'
import { createLogger, type LogOptions } from '../../src/log/log.ts'
import { ServerPilotError } from '../../src/serverpilot/errors.ts'

const SECRET = 'k3y"k3yk3yk3yk3y1'

function make(more: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLogger({
    logLevel: 'info',
    logFormat: 'json',
    destination: { write: (line: string) => lines.push(line) },
    secrets: () => [SECRET, 'abc'],
    now: () => Date.UTC(2026, 2, 1),
    ...more,
  })
  return { log, lines }
}

test('JSON lines: time, level, message, fields', () => {
  const { log, lines } = make()
  log.warn('Write not taken', { app: 'a/b', tries: 2 })
  log.debug('Too fine', {})
  assert.equal(lines.length, 1)
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    level: 'warn',
    time: '2026-03-01T00:00:00.000Z',
    app: 'a/b',
    tries: 2,
    msg: 'Write not taken',
  })
})

test('text lines: one each, quoted where needed, no colour unless told', () => {
  const { log, lines } = make({ logFormat: 'text' })
  log.info('Domains added', { app: 'a/b', hosts: 3, words: 'two words', empty: '', list: ['x'] })
  assert.equal(
    lines[0],
    '2026-03-01T00:00:00.000Z info  Domains added  app=a/b hosts=3 words="two words" empty="" list=["x"]\n',
  )
  const coloured = make({ logFormat: 'text', colour: true })
  coloured.log.error('Failed')
  assert.match(coloured.lines[0] ?? '', /\x1b\[31merror/)
})

test('an error shows its causes in text, its stack in JSON, and nothing that hangs on it', () => {
  const error = Object.assign(new Error('no answer', { cause: new Error('ECONNRESET') }), {
    config: { headers: { Authorization: 'Basic zzzz' } },
    reason: 'ApiUnreachable',
  })
  const text = make({ logFormat: 'text' })
  text.log.error('Failed', { error })
  assert.match(text.lines[0] ?? '', /error="no answer: ECONNRESET"\n$/)
  const json = make()
  json.log.error('Failed', { error })
  const line = JSON.parse(json.lines[0] ?? '') as { error: { stack: string; reason: string } }
  assert.match(line.error.stack, /log\.test/)
  assert.equal(line.error.reason, 'ApiUnreachable')
  assert.doesNotMatch(json.lines[0] ?? '', /zzzz|config/)
})

test('first-run-outside-a-cluster: what somebody outside answered has no stack, in words as in JSON', () => {
  const missing = { code: 404, reason: 'NotFound', message: 'namespace x does not exist' }
  const refused = { reason: 'CredentialsInvalid', message: 'refused' } as const
  for (const error of [new KubernetesError(missing), new ServerPilotError(refused)]) {
    const json = make()
    json.log.warn('Failed', { error, around: new Error('broken', { cause: error }) })
    const line = JSON.parse(json.lines[0] ?? '')
    assert.deepEqual(
      [line.error.message, line.error.reason, line.error.stack],
      [error.message, error.reason, undefined],
    )
    assert.equal(line.around.cause.stack, undefined)
    assert.match(line.around.stack, /log\.test/, 'what nobody expected keeps its place')
    const text = make({ logFormat: 'text' })
    text.log.warn('Failed', { error })
    assert.match(text.lines[0] ?? '', new RegExp(`error=("?)${error.message}\\1\n$`))
  }
})

test('secrets go by the name of their field', () => {
  const { log, lines } = make()
  log.info('x', {
    apiKey: 'v1',
    deep: { Authorization: 'v2', 'api-key': 'v3', db_password: 'v4', list: [{ token: 'v5' }] },
    key: 'v6',
  })
  assert.doesNotMatch(lines[0] ?? '', /v[1-6]/)
})

test('secrets go by their shape in any string', () => {
  const { log, lines } = make({ logFormat: 'text' })
  log.info('x', {
    a: 'GET https://cid:pw0@api.example/v1 failed',
    b: 'mysql://wp:p@ss/w0rd@db/wp',
    c: 'sent Authorization: Basic Y2lkOmtleQ==',
    d: '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----',
  })
  assert.doesNotMatch(lines[0] ?? '', /pw0|w0rd|ss\/|Y2lk|MIIE/)
  assert.match(lines[0] ?? '', /api\.example.*@db\/wp/)
})

test('property: a known secret is in no line, wherever it was put, and JSON stays JSON', () => {
  const secret = fc
    .string({ unit: 'grapheme', minLength: 4, maxLength: 20 })
    .filter((text) => !'[redacted]'.includes(text) && !text.includes('redacted'))
  fc.assert(
    fc.property(
      secret,
      fc.string(),
      fc.string(),
      fc.constantFrom('json' as const, 'text' as const),
      (known, before, after, format) => {
        const { log, lines } = make({ logFormat: format, secrets: () => [known] })
        const text = `<${before}|${known}|${after}>`
        log.error('Constant', {
          plain: text,
          [text]: 1,
          nested: [{ text }],
          error: new Error(text),
          json: JSON.stringify({ text }),
        })
        const line = lines[0] ?? ''
        if (format === 'json') {
          const strings = allStrings(JSON.parse(line))
          // The program's own words (a stack's paths, the names of fields) may hold a short secret by chance; what came in may not.
          assert.ok(!strings.some((one) => one.includes(`|${known}|`)))
        }
        assert.ok(!line.includes(`|${known}|`))
        assert.ok(!line.includes(`|${JSON.stringify(known).slice(1, -1)}|`))
      },
    ),
  )
})

test('a secret of few letters is replaced where it is the whole value, and words stay readable', () => {
  const { log, lines } = make({ logFormat: 'text' })
  log.info('x', { a: 'abc', b: 'abcdef' })
  assert.match(lines[0] ?? '', /a=\[redacted\] b=abcdef/)
})

test('nothing from outside paints the terminal or forges a line', () => {
  const { log, lines } = make({ logFormat: 'text' })
  log.info('x', { host: 'a\x1b[2Jb\nlevel=error', 'n\nn': '\u202eevil' })
  assert.doesNotMatch((lines[0] ?? '').slice(0, -1), /[\x00-\x1f\u202e]/)
})

test('values that JSON does not know', () => {
  const { log, lines } = make()
  const circle: Record<string, unknown> = {
    big: 1n,
    date: new Date(Number.NaN),
    set: new Set(['x']),
    map: new Map([['token', 'v9']]),
  }
  circle.self = circle
  log.info('x', { circle, bytes: new Uint8Array(3), nothing: undefined })
  const { circle: shown, bytes } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.deepEqual(shown, {
    big: '1',
    date: 'Invalid Date',
    set: ['x'],
    map: { token: '[redacted]' },
    self: '[circular]',
  })
  assert.equal(bytes, '[3 bytes]')
})

function allStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...allStrings(inner)])
}
