import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { until } from './until.ts'

export const KINDS = ['mariadb', 'mysql'] as const
export type Kind = (typeof KINDS)[number]

/** What a test context has to offer: `TestContext` of node:test does. */
interface Context {
  after(work: () => Promise<void>): void
  skip(message: string): void
}

/** A database server for tests, in a process of its own. */
export interface DatabaseServer {
  kind: Kind
  host: string
  port: number
  /** Runs statements as the administrator. */
  sql(statements: string, database?: string): Promise<void>
  rows(statement: string, database?: string): Promise<Record<string, unknown>[]>
  /** Makes an empty database of its own for a test, with a user who may only read it. */
  database(): Promise<TestDatabase>
  /** Stops the process (SIGSTOP); connections stay open. */
  freeze(): void
  thaw(): void
  kill(): Promise<void>
  start(): Promise<void>
}

export interface TestDatabase {
  name: string
  user: string
  password: string
  /** A user who may do everything in it. */
  writer: { user: string; password: string }
  /** For the user who may only read; through another port, such as a proxy's, when given. */
  url(port?: number): string
  sql(statements: string): Promise<void>
}

/** Programs that `.ci/unpack` gets. */
export const TOOLS = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'domainpilot-tools')
const MYSQL = join(TOOLS, 'mysql')

interface Program {
  server: string | undefined
  /** Makes a folder of data, as root or not. */
  install(data: string, flags: readonly string[]): Promise<unknown>
  flags: readonly string[]
  /** Said where it is missing. */
  how: string
}

const found = (...paths: string[]): string | undefined => paths.find((path) => existsSync(path))
const run = promisify(execFile)
const SMALL = [
  '--innodb-buffer-pool-size=64M',
  '--innodb-doublewrite=OFF',
  '--innodb-flush-log-at-trx-commit=2',
  '--performance-schema=OFF',
]

const PROGRAMS: Record<Kind, Program> = {
  mariadb: {
    server: found('/usr/sbin/mariadbd', '/usr/libexec/mariadbd', '/usr/local/bin/mariadbd'),
    install: (data, flags) =>
      run(found('/usr/bin/mariadb-install-db', '/usr/local/bin/mariadb-install-db') ?? 'mariadb-install-db', [
        ...['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
        ...['--innodb-log-file-size=8M', ...flags],
      ]),
    flags: ['--innodb-log-file-size=8M', '--skip-log-bin'],
    how: 'no MariaDB server: apt-get install mariadb-server',
  },
  mysql: {
    server: found(join(MYSQL, 'mysqld')),
    install: (data) => cp(join(MYSQL, 'data'), data, { recursive: true }),
    flags: [
      '--innodb-redo-log-capacity=8M',
      '--disable-log-bin',
      '--mysqlx=OFF',
      '--secure-file-priv=NULL',
      '--log-error-verbosity=1',
    ],
    how: 'no MySQL server: .ci/unpack gets one',
  },
}

/**
 * A real server of a kind, with data of its own in a temporary folder. `flags`: more of the server's own. Undefined, with the test
 * skipped and told how to get one, when the program is missing. What was started ends with the test.
 */
export async function databaseServer(
  t: Context,
  kind: Kind,
  flags: readonly string[] = [],
): Promise<DatabaseServer | undefined> {
  const program = PROGRAMS[kind]
  if (program.server === undefined) {
    t.skip(program.how)
    return undefined
  }
  const port = await freePort()
  const started = await startProcess(t, program, port, flags)
  return { kind, host: '127.0.0.1', port, ...started, ...administration(port) }
}

/** Registers `tests` for a server of each kind, which ends with them. To be awaited at the top of a test file. */
export async function onEachServer(tests: (server: DatabaseServer) => void): Promise<void> {
  for (const kind of KINDS) {
    const ends: (() => Promise<void>)[] = []
    let skip = ''
    const context: Context = {
      after: (end) => void ends.push(end),
      skip: (message) => {
        skip = message
      },
    }
    const server = await databaseServer(context, kind)
    if (server === undefined) {
      test(kind, { skip }, () => {})
      continue
    }
    after(async () => {
      for (const end of ends) await end()
    })
    describe(kind, () => tests(server))
  }
}

type Administration = Pick<DatabaseServer, 'sql' | 'rows' | 'database'>

function administration(port: number): Administration {
  const host = '127.0.0.1'
  async function rows(statement: string, database = 'mysql'): Promise<Record<string, unknown>[]> {
    const options = { host, port, user: 'root', database, multipleStatements: true, connectTimeout: 5000 }
    const connection = await createConnection(options)
    try {
      const [result] = await connection.query(statement)
      return result as Record<string, unknown>[]
    } finally {
      connection.destroy()
    }
  }
  const sql = async (statements: string, database?: string): Promise<void> => void (await rows(statements, database))
  return {
    sql,
    rows,
    async database() {
      const id = randomBytes(4).toString('hex')
      const [name, user, password] = [`wp_${id}`, `reader_${id}`, `geheim-${id}`]
      const writer = { user: `writer_${id}`, password }
      await sql(
        `SET sql_mode = ''; CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
        CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'; GRANT SELECT ON ${name}.* TO '${user}'@'%';
        CREATE USER '${writer.user}'@'%' IDENTIFIED BY '${writer.password}'; GRANT ALL ON ${name}.* TO '${writer.user}'@'%'`,
      )
      return {
        name,
        user,
        password,
        writer,
        url: (through = port) => `mysql://${user}:${password}@${host}:${through}/${name}`,
        // As WordPress sets it: dates that are none are stored.
        sql: (statements) => sql(`SET sql_mode = ''; ${statements}`, name),
      }
    },
  }
}

type Process = Pick<DatabaseServer, 'freeze' | 'thaw' | 'kill' | 'start'>

async function startProcess(t: Context, program: Program, port: number, flags: readonly string[]): Promise<Process> {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-database-'))
  let child: ChildProcess | undefined
  const endNow = (): void => void child?.kill('SIGKILL')
  const onSignal = (): never => process.exit(1)
  process.once('exit', endNow)
  process.once('SIGTERM', onSignal)
  t.after(async () => {
    process.off('exit', endNow)
    process.off('SIGTERM', onSignal)
    await own.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const data = join(folder, 'data')
  // Each server of its own: one that starts removes the temporary tables of all others that share the folder.
  const temporary = join(folder, 'tmp')
  await mkdir(temporary)
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []
  const where = [`--datadir=${data}`, `--tmpdir=${temporary}`, `--port=${port}`, `--socket=${join(folder, 's')}`]
  const all = ['--no-defaults', ...where, '--bind-address=127.0.0.1', ...asRoot, ...SMALL, ...program.flags, ...flags]
  const own = {
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
    async start() {
      const log = await open(join(folder, 'log'), 'a')
      const started = spawn(program.server as string, all, { stdio: ['ignore', log.fd, log.fd] })
      child = started
      await log.close()
      await until(
        'the database server is ready',
        async () => {
          if (started.exitCode !== null) throw new Error(await readFile(join(folder, 'log'), 'utf8'))
          const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', connectTimeout: 1000 })
          connection.destroy()
          return true
        },
        60_000,
      )
    },
  }
  await program.install(data, asRoot)
  await own.start()
  return own
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise((resolve) => listener.close(resolve))
  return port
}
