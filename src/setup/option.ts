import { domainToASCII } from 'node:url'
import { parseSelector } from '../api/selector.ts'
import { serverFault } from '../check/dns/ask.ts'
import { validCron } from '../time/schedule.ts'

/** Options by name as given on the command line: commander's output. */
export type Given = Readonly<Record<string, unknown>>
export type Environment = Readonly<Record<string, string | undefined>>

/** A fault of the configuration: exit status 64. Names the flag or the variable, never a secret value. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The text of a file that an option or a variable names; `shown`: its path in messages. Throws `UsageError`. */
export function readNamedFile(
  option: string,
  path: string,
  readFile: (path: string) => string,
  shown: string = path,
): string {
  try {
    return readFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new UsageError(`${option}: the file ${shown} cannot be read (${code}).`)
  }
}

/** Which options go together: a command takes all of a group. */
export type OptionGroup = 'files' | 'cluster' | 'connection' | 'log' | 'dns' | 'daemon' | 'served' | 'page'

/** What stands there, as text; a list where the option is repeatable; undefined when nobody says anything. */
export type Written = string | readonly string[] | undefined

/** How one option is written, what it means, and who takes it. */
export interface OptionEntry {
  group: OptionGroup
  /** The one letter that kubectl uses for it. */
  short?: string
  /** What the value is called in the help; none for a switch. */
  value?: string
  /** The value when nobody says anything, as text; `undefined`: none. */
  default?: string
  /** Shown instead of the default where that is worked out. */
  shownDefault?: string
  repeatable?: true
  meaning: string
  /** Values allowed. */
  choices?: readonly string[]
  /** Its value as the program uses it. `where`: the flag or the variable, for messages. Throws `UsageError`. */
  decode(written: Written, where: string): unknown
}

/** An option with its name in `Given`, and its flag without the dashes. */
export type NamedOption = OptionEntry & { name: string; flag: string }

/** The environment variable of an option with that flag. */
export const variableOf = (flag: string): string => `DOMAINPILOT_${flag.toUpperCase().replaceAll('-', '_')}`

/** Flag before environment before default. A list is split at commas in the environment. Throws `UsageError`. */
export function readOption(entry: NamedOption, given: Given, environment: Environment): unknown {
  const { choices, decode } = entry
  const [written, where] = writtenFor(entry, given[entry.name], environment)
  if (choices !== undefined && typeof written === 'string' && !choices.includes(written))
    throw new UsageError(`${where}: "${written}" is none of ${choices.join(', ')}.`)
  return decode(written, where)
}

function writtenFor(entry: NamedOption, flag: unknown, environment: Environment): [written: Written, where: string] {
  const name = variableOf(entry.flag)
  const variable = environment[name]?.replace(/\r$/, '')
  if (typeof flag === 'boolean') return [String(flag), `--${entry.flag}`]
  if (typeof flag === 'string' || Array.isArray(flag)) return [flag, `--${entry.flag}`]
  if (variable) return [entry.repeatable ? variable.split(',') : variable, name]
  return [entry.repeatable && entry.default !== undefined ? [entry.default] : entry.default, `--${entry.flag}`]
}

const textOf = (written: Written): string => String(typeof written === 'object' ? (written.at(-1) ?? '') : written)

/** Text that is always there, as the option has a default. */
export const text = (written: Written): string => textOf(written ?? '')

export const optionalText = (written: Written): string | undefined =>
  written === undefined ? undefined : textOf(written)

export const list = (written: Written): string[] =>
  typeof written === 'string' ? written.split(',').map((each) => each.trim()) : [...(written ?? [])]

/** The same of values that hold no comma themselves: repeated, separated by commas, or both. */
const commaList = (written: Written): string[] => list(written).flatMap((each) => list(each))

/** One of these values, and of no others. */
export const oneOf = <const T extends string>(...choices: T[]) => ({
  choices,
  decode: (written: Written) => textOf(written) as T,
})

export function positive(written: Written, where: string): number {
  const value = textOf(written)
  const number = Number(value)
  if (!(number > 0) || !Number.isFinite(number)) throw new UsageError(`${where}: "${value}" is not a positive number.`)
  return number
}

export const wholePositive = (written: Written, where: string): number => Math.ceil(positive(written, where))

/** On or off. */
export function switched(written: Written, where: string): boolean {
  const value = text(written)
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0' || value === '') return false
  throw new UsageError(`${where}: "${value}" is neither true nor false.`)
}

/** When something happens, as cron writes it. */
export function cron(written: Written, where: string): string {
  const value = text(written)
  const fault = validCron(value)
  if (fault !== undefined) throw new UsageError(`${where}: ${fault}.`)
  return value
}

/** The same, or undefined for never, which is written `off`. */
export const cronOrOff = (written: Written, where: string): string | undefined =>
  written === 'off' ? undefined : cron(written, where)

/** `host:port`, `[v6]:port`, `:port`; undefined for `off`. */
export const listenAddress = (written: Written, where: string) =>
  written === 'off' ? undefined : address(written, where, ', or off')

/** Names as a `Host` header has them: lower-case ASCII without a port. One label will do, as within a company. */
export function hostNames(written: Written, where: string): string[] {
  return commaList(written).map((each) => {
    const name = domainToASCII(each.replace(/\.$/, '')).toLowerCase()
    if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)) return name
    throw new UsageError(
      `${where}: "${each}" is not a host name; write it without scheme, port and path, as in status.example.com.`,
    )
  })
}

/** `host:port`, `[v6]:port`, `:port`. `instead`: what else may be written, for the message. */
export function address(written: Written, where: string, instead = ''): { host: string; port: number } {
  const value = text(written)
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535)
    throw new UsageError(
      `${where}: "${value}" is not an address; write host:port, for example 127.0.0.1:8080${instead}.`,
    )
  return { host: parts[1] ?? (parts[2] || '0.0.0.0'), port }
}

export function dnsServers(written: Written, where: string): string[] {
  const servers = commaList(written)
  const fault = servers.map(serverFault).find((each) => each !== undefined)
  if (fault !== undefined) throw new UsageError(`${where}: ${fault}.`)
  return servers
}

/** A label selector, also as it was written. */
export function selector(written: Written, where: string) {
  const value = text(written)
  const labels = parseSelector(value)
  if (labels === undefined)
    throw new UsageError(`${where}: write it as for kubectl -l, for example tier=shops,!legacy.`)
  return { text: value, labels }
}
