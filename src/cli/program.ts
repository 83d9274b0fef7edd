import { type Command, Option } from 'commander'
import { OPTION_LIST } from '../setup/flags.ts'
import { calledAs, type Io } from '../setup/io.ts'
import { type Given, type NamedOption, type OptionGroup, variableOf } from '../setup/option.ts'
import { completionScript, parseShell, type Shell } from './completion.ts'
import { SwitchCommand } from './switches.ts'

export { CommanderError } from 'commander'
export { UsageError } from '../setup/option.ts'

/** Of every command that talks to ServerPilot. */
const CONNECTION: readonly OptionGroup[] = ['cluster', 'connection', 'files', 'log']
/** Of commands that may have to look hosts up. */
const LOOKING: readonly OptionGroup[] = [...CONNECTION, 'dns']

/** A command's work: gives the exit status. Loaded when it is called, so that `validate` never pays for `run`. */
type Action = (io: Io, given: Given, args: readonly string[]) => Promise<number>

interface Entry {
  usage: string
  summary: string
  /** The groups of options of `OPTIONS` that it takes. */
  options?: readonly OptionGroup[]
  extra?: Option[]
  examples: string[]
  action: Action
}

const output = (): Option =>
  new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text')

const everywhere = (): Option => new Option('-A, --all-namespaces', 'in a cluster: every namespace')

const removeForeign = (): Option =>
  new Option(
    '--remove-foreign <host>',
    'remove a host that no mapping asks for and that is not ours, repeatable',
  ).argParser(collect)

const COMMANDS: readonly Entry[] = [
  {
    usage: 'run',
    summary: 'the daemon: keeps everything in line until SIGTERM or SIGINT',
    options: [...LOOKING, 'daemon', 'served', 'page'],
    examples: ['run --manifests domains/', 'run --dry-run --listen 127.0.0.1:9000'],
    action: async (io, given) => (await import('./run.ts')).runCommand(io, given),
  },
  {
    usage: 'plan',
    summary: 'show what would change, per app, as a diff with its hash; writes nothing',
    options: LOOKING,
    extra: [
      everywhere(),
      output(),
      removeForeign(),
      new Option('--exit-code', 'exit with 2 when there are differences'),
    ],
    examples: ['plan', 'plan -o json --exit-code'],
    action: async (io, given) => (await import('./plan.ts')).planCommand(io, given),
  },
  {
    usage: 'apply',
    summary: 'one pass over every app: prints the plan, applies it, waits for the result',
    options: LOOKING,
    extra: [
      everywhere(),
      output(),
      removeForeign(),
      new Option('--approve <hash>', 'let exactly the removals of this hash go, once'),
    ],
    examples: ['apply', 'apply --approve 3f9a0c1d2e4b5a69', 'apply --remove-foreign old.example.com'],
    action: async (io, given) => (await import('./apply.ts')).applyCommand(io, given),
  },
  {
    usage: 'approve <app> [hash]',
    summary: 'let the removals of the waiting plan of an app in a cluster go, once; APP is NAME or NAMESPACE/NAME',
    options: ['cluster'],
    extra: [
      new Option('--wait <bool>', 'wait until the daemon has acted, a minute at most')
        .choices(['true', 'false'])
        .default('true'),
    ],
    examples: ['approve wordpress/network', 'approve wordpress/network 3f9a0c1d2e4b5a69 --wait=false'],
    action: async (io, given, args) => (await import('./approve.ts')).approveCommand(io, given, args),
  },
  {
    usage: 'check [hosts...]',
    summary: 'connection test: a line each with the cause and the cure; of HOSTS, their DNS and certificates',
    options: [...LOOKING, 'served'],
    extra: [everywhere(), output()],
    examples: ['check', 'check shop.example.com www.shop.example.com'],
    action: async (io, given, hosts) => (await import('./check.ts')).checkCommand(io, given, hosts),
  },
  {
    usage: 'import',
    summary: 'print the objects that describe what ServerPilot has now, so that a first plan is empty',
    options: CONNECTION,
    extra: [new Option('--foreign', 'only mappings for hosts that are on the apps and that no mapping asks for')],
    examples: ['import > domains/imported.yaml', 'import --foreign > domains/taken-over.yaml'],
    action: async (io, given) => (await import('./import.ts')).importCommand(io, given),
  },
  {
    usage: 'validate <paths...>',
    summary: 'read objects offline; every fault with file, line, column, field',
    options: ['files'],
    extra: [output()],
    examples: ['validate domains/', 'validate -o json shop.yaml'],
    action: async (io, given, paths) => (await import('./validate.ts')).validateCommand(io, given, paths),
  },
  {
    usage: 'status',
    summary: 'apps and mappings with conditions, addresses, certificate expiry',
    options: LOOKING,
    extra: [
      everywhere(),
      output(),
      new Option('--fresh', 'look now instead of reading what the daemon wrote'),
      new Option('--exit-code', 'exit with 1 when an app is not ready'),
    ],
    examples: ['status', 'status --fresh -o json'],
    action: async (io, given) => (await import('./status.ts')).statusCommand(io, given),
  },
  {
    usage: 'explain <host>',
    summary: 'who wants a host, who holds it, where it stands, why it is absent, what happens next',
    options: CONNECTION,
    extra: [
      everywhere(),
      output(),
      new Option('--fresh', 'in a cluster: ask ServerPilot now instead of reading the objects alone'),
    ],
    examples: ['explain shop.example.com'],
    action: async (io, given, [host = '']) => (await import('./explain.ts')).explainCommand(io, given, host),
  },
  {
    usage: 'crds',
    summary: 'print the CustomResourceDefinitions',
    examples: ['crds | kubectl apply -f -'],
    action: async (io) => {
      io.out((await import('../status/crd.ts')).crdsYaml())
      return 0
    },
  },
  {
    usage: 'simulate',
    summary: 'the ServerPilot simulator, for trying things and for other people’s tests',
    extra: [
      output(),
      new Option('--listen <address>', 'address to listen on').default('127.0.0.1:0'),
      new Option('--control', 'answer the control API, which asks for no credentials, beyond loopback as well'),
      new Option('--app <name=hosts>', 'an app with its domains, repeatable').argParser(collect),
      new Option('--dns-port <port>', 'also answer DNS questions (UDP) at this port; 0: a free one'),
      new Option('--state-file <path>', 'keep the state on disk'),
      new Option('--latency <ms>', 'time that each call takes').default('0'),
      new Option('--action-duration <ms>', 'time that an action takes').default('1000'),
      new Option('--verbose', 'a line per call'),
    ],
    examples: ['simulate --listen 127.0.0.1:8099', 'simulate -o json --app network=network.example,shop.example.com'],
    action: async (io, given) => (await import('./simulate.ts')).simulateCommand(io, given),
  },
  {
    usage: 'demo',
    summary: 'simulator, folder of objects, daemon and status page with a little traffic; no account needed',
    options: ['page', 'log'],
    examples: ['demo'],
    action: async (io, given) => (await import('./demo.ts')).demoCommand(io, given),
  },
]

function collect(value: string, before: unknown): string[] {
  return [...(Array.isArray(before) ? before.map(String) : []), value]
}

/** Puts the command line together. `done` gets the exit status of the command that ran. */
export function buildProgram(caller: Io, done: (status: number) => void): Command {
  const name = calledAs(caller)
  // Who calls it by kubectl means the cluster.
  const environment = { ...(caller.plugin ? { DOMAINPILOT_SOURCE: 'kubernetes' } : {}), ...caller.environment }
  const io = { ...caller, environment }
  const program = new SwitchCommand(name)
    .description(
      'Keeps the domains, AutoSSL and certificates of ServerPilot apps in line with declared domain mappings.',
    )
    .version(io.version)
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .showHelpAfterError(`(${name} --help says more)`)
    .addHelpText('after', `\nTry it without an account:  ${name} demo`)
  for (const entry of COMMANDS) addCommand(program, entry, io, done)
  program
    .command('completion')
    .summary('print a completion script')
    .description('Prints a completion script for bash, zsh or fish.')
    .argument('<shell>', 'bash, zsh or fish', parseShell)
    .action((shell: Shell) => {
      io.out(completionScript(program, shell))
      done(0)
    })
  return program
}

function addCommand(program: Command, entry: Entry, io: Io, done: (status: number) => void): void {
  const command = program
    .command(entry.usage)
    .summary(entry.summary)
    .description(`${capital(entry.summary)}.`)
  for (const each of OPTION_LIST) if (entry.options?.includes(each.group)) command.addOption(optionOf(each))
  for (const option of entry.extra ?? []) command.addOption(option)
  command.addHelpText('after', `\nExamples:\n${entry.examples.map((each) => `  ${program.name()} ${each}`).join('\n')}`)
  command.action(async () => {
    done(await entry.action(io, command.opts(), command.args))
  })
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function optionOf(entry: NamedOption): Option {
  const standard = entry.shownDefault ?? entry.default
  const value = entry.value === undefined ? '' : ` <${entry.value}>`
  const described = `${entry.meaning}${standard === undefined || standard === 'false' ? '' : ` (default: ${standard})`} [${variableOf(entry.flag)}]`
  const short = entry.short === undefined ? '' : `-${entry.short}, `
  const option = new Option(`${short}--${entry.flag}${value}`, described)
  if (entry.repeatable) option.argParser(collect)
  // What is none of them is refused where the environment is read too.
  if (entry.choices !== undefined) option.argChoices = [...entry.choices]
  return option
}
