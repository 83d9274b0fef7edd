import type { ProcessIdentity } from '../../src/ownership/process-identity.ts'
import { type DaemonWorld, explain, startDaemon } from './daemon.ts'
import { NAMESPACE } from './declared.ts'
import { createFiles } from './files.ts'
import type { Ground, Stage } from './ground.ts'
import { createLife, type Life } from './life.ts'

/** What the daemons call themselves in the Lease: another one each time. */
const IDENTITY = /domainpilot-[0-9a-f-]{36}/g
/** What drafts of files are called, beside the file. */
const DRAFT = /[-.][0-9a-f-]{36}\.tmp/g
/** How long an answer is: certificates are real ones, of any length. */
const LENGTH = /\(\d+ characters\)/g
const LOG_LINES = 400

/** Keeps a line of a daemon, and so many before it. */
export function noteLine(log: string[], name: string, line: string): void {
  log.push(`${name} ${line.replaceAll(IDENTITY, name).replaceAll(DRAFT, '.tmp').replaceAll(LENGTH, '(characters)')}`)
  if (log.length > LOG_LINES) log.shift()
}

/** Starts processes that live in this one, on a ground of models. */
export function createLauncher(ground: Stage): Pick<Ground, 'launch' | 'explain'> {
  const lives = new Map<number, Life>()
  const { machine, random, disk, time, serverpilot, databases, hosts, cluster, log } = ground
  let people = 0

  function worldOf(life: Life, number: number, name: string): DaemonWorld {
    const identity: ProcessIdentity = { pid: 1000 + number, started: String(number), host: 'host', scope: 'boot' }
    lives.set(identity.pid, life)
    return {
      environment: environmentOf(ground, name),
      files: createFiles(disk!, disk!.trouble, life, time),
      serverpilot: serverpilot.connect(life),
      database: databases.connect(life),
      ...(cluster && { cluster: { transport: cluster.connect(life), namespace: ground.namespace } }),
      ...(hosts && { hosts: { resolver: hosts.dns.connect(life), shake: hosts.servers.connect(life) } }),
      identity,
      isRunning: ({ pid }) => lives.get(pid)?.alive === true,
      log: (line) => noteLine(log, life.name, line),
    }
  }

  return {
    launch(name, number) {
      const life = createLife(`${name}.${number}`, machine, random.fork(`daemon ${number}`))
      return startDaemon(life, worldOf(life, number, name))
    },
    async explain(host) {
      const name = `person.${++people}`
      const life = createLife(name, machine, random.fork(name))
      return await explain(life, worldOf(life, -people, name), host)
    },
  }
}

/** What a daemon is told by its environment. */
export function environmentOf({ serverpilot, cluster, hosts, manifests, state, namespace }: Stage, name: string) {
  const { clientId, apiKey } = serverpilot.core.world.model
  return {
    SERVERPILOT_CLIENT_ID: clientId,
    SERVERPILOT_API_KEY: apiKey,
    DOMAINPILOT_LISTEN: 'off',
    DOMAINPILOT_CHECK_SCHEDULE: hosts?.schedule ?? 'off',
    HOSTNAME: name,
    ...(cluster === undefined
      ? { DOMAINPILOT_MANIFESTS: manifests, DOMAINPILOT_STATE_DIR: state }
      : {
          DOMAINPILOT_SOURCE: 'kubernetes',
          DOMAINPILOT_RECORD_NAMESPACE: namespace,
          DOMAINPILOT_AMBIENT_CREDENTIALS_NAMESPACES: NAMESPACE,
        }),
  }
}
