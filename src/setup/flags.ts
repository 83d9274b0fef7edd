/**
 * The table of every option: flag, environment variable, default, meaning. docs/flags.md and the help texts come from it, and
 * what a command needs is decoded by it into typed values. Reads nothing by itself: arguments and environment are passed in.
 */

/** How one option is written, and what it means. */
export interface OptionEntry {
  /** Without the dashes. */
  flag: string
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
}

export const OPTIONS = {
  source: {
    flag: 'source',
    value: 'SOURCE',
    default: 'auto',
    choices: ['auto', 'kubernetes', 'manifests'],
    meaning: 'where objects come from; auto: kubernetes inside a pod or when a kubeconfig or context is named',
  },
  manifests: {
    flag: 'manifests',
    value: 'PATH',
    default: 'domains',
    repeatable: true,
    meaning: 'file or folder of objects, repeatable; read again when it changes',
  },
  wpConfig: {
    flag: 'wp-config',
    value: 'PATH',
    meaning: 'a wp-config.php with the settings of the plugin and the database',
  },
  stateDir: {
    flag: 'state-dir',
    value: 'DIR',
    default: '.domainpilot',
    meaning: 'ownership records and status when the source is manifests; one process at a time holds it',
  },
  kubeconfig: {
    flag: 'kubeconfig',
    value: 'PATH',
    shownDefault: 'as kubectl',
    meaning: 'kubeconfig file',
  },
  context: {
    flag: 'context',
    value: 'NAME',
    shownDefault: 'as kubectl',
    meaning: 'context of the kubeconfig',
  },
  namespace: {
    flag: 'namespace',
    short: 'n',
    value: 'NS',
    shownDefault: "all; with kubectl the context's",
    repeatable: true,
    meaning: 'namespaces whose apps are served, repeatable',
  },
  recordNamespace: {
    flag: 'record-namespace',
    value: 'NS',
    shownDefault: "the pod's own; outside a pod `domainpilot`",
    meaning: 'namespace of the daemon in a cluster: ownership records and Lease stand there',
  },
  appSelector: {
    flag: 'app-selector',
    value: 'SELECTOR',
    shownDefault: 'all',
    meaning: 'label selector on ServerPilotApp: shards a fleet over several daemons',
  },
  serverpilotUrl: {
    flag: 'serverpilot-url',
    value: 'URL',
    default: 'https://api.serverpilot.io/v1',
    meaning: 'address of the API; plain http only to loopback',
  },
  allowInsecureHttp: {
    flag: 'allow-insecure-http',
    default: 'false',
    meaning: 'allow plain http to other than loopback addresses (a simulator in the cluster)',
  },
  serverpilotUpdateMethod: {
    flag: 'serverpilot-update-method',
    value: 'METHOD',
    default: 'POST',
    choices: ['POST', 'PUT'],
    meaning: 'verb of the full-list write',
  },
  serverpilotQps: {
    flag: 'serverpilot-qps',
    value: 'N',
    default: '5',
    meaning: 'requests a second per account, with a burst of twice that',
  },
  sweepSchedule: {
    flag: 'sweep-schedule',
    value: 'CRON',
    default: '* * * * *',
    meaning: 'when to compare everything with ServerPilot',
  },
  checkSchedule: {
    flag: 'check-schedule',
    value: 'CRON',
    default: '*/5 * * * *',
    meaning: 'when to check DNS and certificates; what is new or wrong is looked at in between too; `off` for never',
  },
  workers: { flag: 'workers', value: 'N', default: '4', meaning: 'apps reconciled at once' },
  dryRun: { flag: 'dry-run', default: 'false', meaning: 'plan and report, never write to ServerPilot' },
  listen: {
    flag: 'listen',
    value: 'ADDRESS',
    default: '127.0.0.1:8080',
    meaning: 'status page, metrics, health; `off` for none',
  },
  ambientCredentialsNamespaces: {
    flag: 'ambient-credentials-namespaces',
    value: 'NS,…',
    shownDefault: "the daemon's own",
    meaning: "namespaces whose apps may use the daemon's credentials",
  },
  kubeApiQps: {
    flag: 'kube-api-qps',
    value: 'N',
    default: '50',
    meaning: 'requests a second to the API server, with a burst of 100; Lease and claim go past it',
  },
  leaderElect: {
    flag: 'leader-elect',
    value: 'BOOL',
    default: 'auto',
    choices: ['auto', 'true', 'false'],
    meaning: 'elect a leader; auto: when the source is kubernetes',
  },
  dnsServers: {
    repeatable: true,
    flag: 'dns-servers',
    value: 'ADDRESS,…',
    shownDefault: "the system's",
    meaning: 'DNS servers to ask',
  },
  dnsQps: {
    flag: 'dns-qps',
    value: 'N',
    default: '50',
    meaning: 'DNS questions a second, at most; a host needs two',
  },
  checkServed: {
    flag: 'check-served',
    value: 'BOOL',
    default: 'true',
    choices: ['true', 'false'],
    meaning:
      'look at the certificates that servers show at port 443; false where something in between answers for them',
  },
  logLevel: {
    flag: 'log-level',
    value: 'LEVEL',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    meaning: 'the quietest level that is logged',
  },
  logFormat: {
    flag: 'log-format',
    value: 'FORMAT',
    default: 'auto',
    choices: ['auto', 'text', 'json'],
    meaning: 'auto: text on a terminal, json elsewhere',
  },
} as const satisfies Record<string, OptionEntry>

export type OptionName = keyof typeof OPTIONS

/** Options by name as given on the command line: commander's output. */
export type Given = Readonly<Record<string, unknown>>
export type Environment = Readonly<Record<string, string | undefined>>

/** A fault of the configuration: exit status 64. Names the flag or the variable, never a secret value. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The environment variable of an option. */
export const variableOf = (name: OptionName): string =>
  `DOMAINPILOT_${OPTIONS[name].flag.toUpperCase().replaceAll('-', '_')}`

/** Flag before environment before default; undefined when none says anything. Lists are split at commas in the environment. */
export function optionText(name: OptionName, given: Given, environment: Environment): string | string[] | undefined {
  const entry: OptionEntry = OPTIONS[name]
  const flag = given[name]
  if (typeof flag === 'string' || Array.isArray(flag)) return checked(entry, `--${entry.flag}`, flag)
  if (typeof flag === 'boolean') return String(flag)
  const variable = environment[variableOf(name)]?.replace(/\r$/, '')
  if (variable !== undefined && variable !== '') {
    return checked(entry, variableOf(name), entry.repeatable ? variable.split(',') : variable)
  }
  return entry.default === undefined ? undefined : entry.repeatable ? [entry.default] : entry.default
}

function checked<T extends string | string[]>(entry: OptionEntry, where: string, value: T): T {
  const { choices } = entry
  if (choices !== undefined && typeof value === 'string' && !choices.includes(value)) {
    throw new UsageError(`${where}: "${value}" is none of ${choices.join(', ')}.`)
  }
  return value
}

/** A single text value. */
export function text(name: OptionName, given: Given, environment: Environment): string | undefined {
  const value = optionText(name, given, environment)
  return Array.isArray(value) ? value.at(-1) : value
}

/** A list value. */
export function list(name: OptionName, given: Given, environment: Environment): string[] {
  const value = optionText(name, given, environment)
  return value === undefined ? [] : Array.isArray(value) ? value : value.split(',').map((each) => each.trim())
}

/** A positive number. Throws `UsageError`. */
export function positive(name: OptionName, given: Given, environment: Environment): number {
  const value = text(name, given, environment)
  const number = Number(value)
  if (!(number > 0) || !Number.isFinite(number))
    throw new UsageError(`--${OPTIONS[name].flag}: "${value}" is no positive number.`)
  return number
}

/** A switch. Throws `UsageError`. */
export function flag(name: OptionName, given: Given, environment: Environment): boolean {
  const value = text(name, given, environment)
  if (value === 'true' || value === '1') return true
  if (value === undefined || value === 'false' || value === '0' || value === '') return false
  throw new UsageError(`${variableOf(name)}: "${value}" is neither true nor false.`)
}

/** `host:port`, `[v6]:port`, `:port` or `off`. Throws `UsageError`. */
export function listenAddress(given: Given, environment: Environment): { host: string; port: number } | undefined {
  const value = text('listen', given, environment) ?? 'off'
  if (value === 'off') return undefined
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535) {
    throw new UsageError(`--listen: "${value}" is no address; write host:port, for example 127.0.0.1:8080, or off.`)
  }
  return { host: parts[1] ?? (parts[2] || '0.0.0.0'), port }
}

/** docs/flags.md, generated. */
export function flagsDocs(): string {
  const rows = (Object.keys(OPTIONS) as OptionName[]).map((name) => {
    const entry: OptionEntry = OPTIONS[name]
    const choices = entry.choices === undefined ? '' : ` (${entry.choices.join(', ')})`
    const value = entry.value === undefined ? '' : ` ${entry.value}`
    return `| \`${entry.short === undefined ? '' : `-${entry.short}, `}--${entry.flag}${value}\` | \`${variableOf(name)}\` | ${entry.shownDefault ?? (entry.default === undefined ? 'none' : `\`${entry.default}\``)} | ${entry.meaning.replaceAll('|', '\\|')}${choices} |`
  })
  return `# Flags and environment variables

Generated from \`src/setup/flags.ts\` by \`npm run docs\`. A flag goes before its environment variable, that before the default.
Credentials never come from flags: see [getting started](getting-started.md).

| flag | variable | default | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
