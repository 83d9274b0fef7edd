import {
  cron,
  cronOrOff,
  dnsServers,
  type Environment,
  type Given,
  hostNames,
  list,
  listenAddress,
  type OptionEntry,
  oneOf,
  optionalText,
  positive,
  readOption,
  selector,
  switched,
  text,
  variableOf,
  wholePositive,
} from './option.ts'

/**
 * The table of every option: default, meaning, decoder, and the group by which commands take it. Flag and environment variable follow
 * from its name; docs/flags.md, the help texts and the settings come from it.
 */
const OPTIONS = {
  source: {
    group: 'cluster',
    value: 'SOURCE',
    default: 'auto',
    ...oneOf('auto', 'kubernetes', 'manifests'),
    meaning: 'where objects come from; auto: kubernetes inside a pod or when a kubeconfig or context is named',
  },
  manifests: {
    group: 'connection',
    decode: list,
    value: 'PATH',
    default: 'domains',
    repeatable: true,
    meaning: 'file or folder of objects, repeatable; read again when it changes',
  },
  maxFileMib: {
    group: 'files',
    decode: positive,
    value: 'MIB',
    default: '2',
    meaning: 'the largest file of objects that is read, in MiB',
  },
  maxFilesMib: {
    group: 'files',
    decode: positive,
    value: 'MIB',
    default: '16',
    meaning: 'the most that all files of objects may have together, in MiB',
  },
  wpConfig: {
    group: 'connection',
    decode: optionalText,
    value: 'PATH',
    meaning:
      'a wp-config.php with the settings of the plugin and the database; what variables and flags say goes before it',
  },
  wordpressTablePrefix: {
    group: 'connection',
    decode: optionalText,
    value: 'PREFIX',
    shownDefault: 'as the wp-config.php says, else `wp_`',
    meaning: '`$table_prefix` of the database that variables or a wp-config.php name; without any object',
  },
  wordpressMappings: {
    group: 'connection',
    value: 'FAMILY',
    default: 'Auto',
    ...oneOf('Auto', 'UltimateMultisite', 'DomainMapping', 'Core'),
    meaning: 'where the mappings of that database stand, as `spec.wordpress.mappings`',
  },
  wordpressIncludeSites: {
    group: 'connection',
    decode: switched,
    default: 'false',
    meaning: "also each site's own domain of a subdomain network, as `spec.wordpress.includeSites`",
  },
  wordpressNetwork: {
    group: 'connection',
    decode: optionalText,
    value: 'ID',
    shownDefault: 'all',
    meaning: 'the network of that database whose sites count, by its id, as `spec.wordpress.network`',
  },
  wordpressWww: {
    group: 'connection',
    value: 'RULE',
    shownDefault: "the plugin's own, else `MainOnly`",
    choices: ['Always', 'MainOnly', 'Never'],
    decode: optionalText,
    meaning: 'whether www.DOMAIN is mapped too, as `spec.www`',
  },
  wordpressCa: {
    group: 'connection',
    decode: optionalText,
    value: 'PATH',
    meaning:
      "PEM file of the authority that the database's certificate is held against; with a wp-config.php that asks for TLS",
  },
  stateDir: {
    group: 'connection',
    decode: text,
    value: 'DIR',
    default: '.domainpilot',
    meaning: 'ownership records and status when the source is manifests; one process at a time holds it',
  },
  kubeconfig: {
    group: 'cluster',
    decode: optionalText,
    value: 'PATH',
    shownDefault: 'as kubectl',
    meaning: 'kubeconfig file',
  },
  context: {
    group: 'cluster',
    decode: optionalText,
    value: 'NAME',
    shownDefault: 'as kubectl',
    meaning: 'context of the kubeconfig',
  },
  namespace: {
    group: 'cluster',
    decode: list,
    short: 'n',
    value: 'NS',
    shownDefault: "all; with kubectl the context's",
    repeatable: true,
    meaning: 'namespaces whose apps are served, repeatable',
  },
  recordNamespace: {
    group: 'connection',
    decode: optionalText,
    value: 'NS',
    shownDefault: "the pod's own; outside a pod `domainpilot`",
    meaning: 'namespace of the daemon in a cluster: ownership records and Lease stand there',
  },
  appSelector: {
    group: 'connection',
    decode: selector,
    value: 'SELECTOR',
    shownDefault: 'all',
    meaning: 'label selector on ServerPilotApp: shards a fleet over several daemons',
  },
  serverpilotUrl: {
    group: 'connection',
    decode: text,
    value: 'URL',
    default: 'https://api.serverpilot.io/v1',
    meaning: 'address of the API; plain http only to loopback',
  },
  allowInsecureHttp: {
    group: 'connection',
    decode: switched,
    default: 'false',
    meaning: 'allow plain http to other than loopback addresses (a simulator in the cluster)',
  },
  serverpilotUpdateMethod: {
    group: 'connection',
    value: 'METHOD',
    default: 'POST',
    ...oneOf('POST', 'PUT'),
    meaning: 'verb of the full-list write',
  },
  serverpilotQps: {
    group: 'connection',
    decode: positive,
    value: 'N',
    default: '5',
    meaning: 'requests a second per account, with a burst of twice that',
  },
  sweepSchedule: {
    group: 'daemon',
    decode: cron,
    value: 'CRON',
    default: '* * * * *',
    meaning: 'when to compare everything with ServerPilot',
  },
  checkSchedule: {
    group: 'daemon',
    decode: cronOrOff,
    value: 'CRON',
    default: '*/5 * * * *',
    meaning: 'when to check DNS and certificates; what is new or wrong is looked at in between too; `off` for never',
  },
  workers: {
    group: 'connection',
    decode: wholePositive,
    value: 'N',
    default: '4',
    meaning: 'apps reconciled at once',
  },
  dryRun: {
    group: 'daemon',
    decode: switched,
    default: 'false',
    meaning: 'plan and report, never write to ServerPilot',
  },
  listen: {
    group: 'page',
    decode: listenAddress,
    value: 'ADDRESS',
    default: '127.0.0.1:8080',
    meaning: 'status page, metrics, health; `off` for none',
  },
  allowedHosts: {
    repeatable: true,
    group: 'page',
    decode: hostNames,
    value: 'NAME,…',
    shownDefault: 'on a loopback address none, elsewhere any',
    meaning: 'host names that the page answers to besides addresses and localhost, as behind a proxy',
  },
  ambientCredentialsNamespaces: {
    group: 'connection',
    decode: list,
    value: 'NS,…',
    shownDefault: "the daemon's own",
    meaning: "namespaces whose apps may use the daemon's credentials",
  },
  kubeApiQps: {
    group: 'daemon',
    decode: positive,
    value: 'N',
    default: '50',
    meaning: 'requests a second to the API server, with a burst of 100; Lease and claim go past it',
  },
  leaderElect: {
    group: 'daemon',
    value: 'BOOL',
    default: 'auto',
    ...oneOf('auto', 'true', 'false'),
    meaning: 'elect a leader; auto: when the source is kubernetes',
  },
  dnsServers: {
    repeatable: true,
    group: 'dns',
    decode: dnsServers,
    value: 'ADDRESS,…',
    shownDefault: "the system's",
    meaning: 'DNS servers to ask',
  },
  dnsQps: {
    group: 'dns',
    decode: positive,
    value: 'N',
    default: '50',
    meaning: 'DNS questions a second, at most; a host needs two',
  },
  checkServed: {
    group: 'served',
    decode: switched,
    value: 'BOOL',
    default: 'true',
    choices: ['true', 'false'],
    meaning:
      'look at the certificates that servers show at port 443; false where something in between answers for them',
  },
  logLevel: {
    group: 'log',
    value: 'LEVEL',
    default: 'info',
    ...oneOf('debug', 'info', 'warn', 'error'),
    meaning: 'the quietest level that is logged',
  },
  logFormat: {
    group: 'log',
    value: 'FORMAT',
    default: 'auto',
    ...oneOf('auto', 'text', 'json'),
    meaning: 'auto: text on a terminal, json elsewhere',
  },
} as const satisfies Record<string, OptionEntry>

type OptionName = keyof typeof OPTIONS

/** Every option with its name and its flag, in order. */
export const OPTION_LIST = Object.entries<OptionEntry>(OPTIONS).map(([name, entry]) => ({
  ...entry,
  name,
  flag: name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
}))

/** Every option, decoded. */
export type Flags = { [Name in OptionName]: ReturnType<(typeof OPTIONS)[Name]['decode']> }

/** Decodes every option. Throws `UsageError` for the first that is wrong. */
export function readFlags(given: Given, environment: Environment): Flags {
  return Object.fromEntries(OPTION_LIST.map((option) => [option.name, readOption(option, given, environment)])) as Flags
}

/** docs/flags.md, generated. */
export function flagsDocs(): string {
  const rows = OPTION_LIST.map((entry) => {
    const choices = entry.choices === undefined ? '' : ` (${entry.choices.join(', ')})`
    const value = entry.value === undefined ? '' : ` ${entry.value}`
    return `| \`${entry.short === undefined ? '' : `-${entry.short}, `}--${entry.flag}${value}\` | \`${variableOf(entry.flag)}\` | ${entry.shownDefault ?? (entry.default === undefined ? 'none' : `\`${entry.default}\``)} | ${entry.meaning.replaceAll('|', '\\|')}${choices} |`
  })
  return `# Flags and environment variables

Generated from \`src/setup/flags.ts\` by \`npm run docs\`. A flag goes before its environment variable, that before the default.
Credentials never come from flags: see [getting started](getting-started.md).

| flag | variable | default | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
