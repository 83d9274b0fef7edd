import { pino } from 'pino'
import { createRedactor } from './redact.ts'
import { visible, visibleLines } from './visible.ts'

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What varies in a log line. Errors may be given as they are. */
type LogFields = Readonly<Record<string, unknown>>

/** A log. Messages are constants; everything that varies goes into fields, so that lines can be counted and searched. */
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>

export interface LogOptions {
  logLevel: LogLevel
  logFormat: 'text' | 'json'
  /** Gets whole lines that end in a newline, for instance `process.stderr`. */
  destination: { write(line: string): unknown }
  /** Every secret that the program holds at this moment; none of them is ever written. */
  secrets: () => readonly string[]
  /** Colours in the text format; default off. */
  colour?: boolean
  /** Epoch milliseconds, for tests. */
  now?: () => number
}

/** A log that writes to `destination`: JSON lines (`time`, `level`, `msg`, fields), or one readable line each. */
export function createLogger(options: LogOptions): Log {
  const { logLevel, logFormat, destination, secrets } = options
  const redact = createRedactor(secrets)
  const now = options.now ?? Date.now
  const logger = pino(
    {
      level: logLevel,
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // `err`, `req` and the like are treated as any other field: what is in a field was copied by the redactor.
      serializers: {},
    },
    {
      write: (line: string) =>
        destination.write(logFormat === 'json' ? visibleLines(line) : textLine(line, options.colour)),
    },
  )

  const write =
    (at: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (!logger.isLevelEnabled(at)) return
      const { time: _time, level: _level, msg: _msg, ...rest } = redact(fields) as Record<string, unknown>
      // pino reads `%s` in a message only when more arguments follow; none do.
      logger[at](rest, redact(message) as string)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const COLOURS: Record<string, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }
const PLAIN = '\x1b[0m'

/** A JSON line of pino as text: `2026-03-01T12:00:00.000Z info  Domains added  app=wordpress/network hosts=3`. */
function textLine(json: string, colour = false): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const paint = (code: string | undefined, text: string) => (colour && code ? code + text + PLAIN : text)
  const name = String(level)
  const pairs = Object.entries(fields).map(
    ([key, value]) => `${paint('\x1b[2m', `${quotedWhereNeeded(key)}=`)}${shown(value)}`,
  )
  const head = `${paint('\x1b[2m', String(time))} ${paint(COLOURS[name], name.padEnd(5))} ${visible(String(msg))}`
  return `${[head, pairs.join(' ')].filter(Boolean).join('  ')}\n`
}

/** Strings as they are when they cannot be misread, else quoted; errors in words, without a stack. */
function shown(value: unknown): string {
  if (typeof value === 'string') return quotedWhereNeeded(value)
  if (isPlainError(value)) return quotedWhereNeeded(errorWords(value))
  return visible(JSON.stringify(value) ?? String(value))
}

function quotedWhereNeeded(text: string): string {
  return text !== '' && !/[\s"=]/.test(text) && visible(text) === text ? text : visible(JSON.stringify(text))
}

/** An error as the redactor leaves it. */
type PlainError = { type: string; message: string; cause?: unknown }

function isPlainError(value: unknown): value is PlainError {
  if (typeof value !== 'object' || value === null || !('message' in value) || !('type' in value)) return false
  return 'stack' in value || String(value.type).endsWith('Error')
}

function errorWords(error: PlainError): string {
  return isPlainError(error.cause) ? `${error.message}: ${errorWords(error.cause)}` : error.message
}
