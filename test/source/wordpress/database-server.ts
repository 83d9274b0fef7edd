import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { until } from './until.ts'

/** What a test context has to offer: `TestContext` of node:test does. */
interface Context {
  after(work: () => Promise<void>): void
  skip(message: string): void
}

/** A database server for tests. */
export interface DatabaseServer {
  host: string
  port: number
  /** Runs statements as the administrator. */
  sql(statements: string, database?: string): Promise<void>
  rows(statement: string, database?: string): Promise<Record<string, unknown>[]>
  /** Makes an empty database of its own for a test, with a user who may only read it. */
  database(): Promise<TestDatabase>
  /** Only of a server that was started here: faults. */
  own?: {
    pid(): number
    /** Stops the process (SIGSTOP); connections stay open. */
    freeze(): void
    thaw(): void
    kill(): Promise<void>
    start(): Promise<void>
  }
}

export interface TestDatabase {
  name: string
  user: string
  password: string
  /** For the user who may only read; through another port, such as a proxy's, when given. */
  url(port?: number): string
  sql(statements: string): Promise<void>
}

export type Kind = 'mariadb' | 'mysql'

/** Which one tests run on that name none. */
const KIND: Kind = process.env.DOMAINPILOT_TEST_DATABASE === 'mysql' ? 'mysql' : 'mariadb'

/** What `.ci/unpack` has put beside the system. */
export const UNPACKED = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'domainpilot-tools')

const OR_RUNNING =
  'or set DOMAINPILOT_TEST_MYSQL_URL to mysql://USER:PASSWORD@HOST:PORT/mysql of a server for tests, with all rights'
const HOW: Readonly<Record<Kind, string>> = {
  mariadb: `no MariaDB server: install it (apt-get install mariadb-server), ${OR_RUNNING}`,
  mysql: 'no MySQL server: run .ci/unpack, which puts one beside the system',
}

/** How a server of one kind is started. */
interface Program {
  /** Program and its first arguments. */
  server: readonly [string, ...string[]]
  /** Makes an empty data folder. */
  install(data: string): Promise<unknown>
  flags: readonly string[]
}

const run = promisify(execFile)

const ALWAYS = ['--performance-schema=OFF', '--skip-log-bin', '--innodb-flush-log-at-trx-commit=2']
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []

function program(kind: Kind): Program | undefined {
  return kind === 'mysql' ? mysql() : mariadb()
}

function mariadb(): Program | undefined {
  const server = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd', '/usr/local/bin/mariadbd'].find(existsSync)
  const install = ['/usr/bin/mariadb-install-db', '/usr/local/bin/mariadb-install-db'].find(existsSync)
  if (server === undefined || install === undefined) return undefined
  const small = ['--innodb-log-file-size=8M', '--innodb-buffer-pool-size=32M']
  const plain = ['--auth-root-authentication-method=normal', '--skip-test-db', ...small]
  return {
    server: [server],
    install: (data) => run(install, ['--no-defaults', `--datadir=${data}`, ...asRoot, ...plain]),
    flags: small,
  }
}

/** Of a newer Debian than the system may be, so with the libraries and the loader that came along. */
function mysql(): Program | undefined {
  const root = join(UNPACKED, 'mysql')
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  const loader = join(libraries, 'ld-linux-x86-64.so.2')
  const empty = join(root, 'data')
  if (![loader, empty, join(root, 'usr/sbin/mysqld')].every(existsSync)) return undefined
  const folders = [
    `--basedir=${root}/usr`,
    `--lc-messages-dir=${root}/usr/share/mysql`,
    `--plugin-dir=${root}/usr/lib/mysql/plugin`,
  ]
  const small = [
    '--innodb-redo-log-capacity=8M',
    '--innodb-buffer-pool-size=32M',
    '--table-open-cache=200',
    '--max-connections=60',
  ]
  return {
    server: [loader, '--library-path', libraries, join(root, 'usr/sbin/mysqld')],
    install: (data) => cp(empty, data, { recursive: true }),
    flags: [...folders, ...small, '--mysqlx=OFF', '--pid-file=pid', '--secure-file-priv=NULL'],
  }
}

/**
 * A real database server for the tests of one file: one of its own in a temporary folder, or the one of DOMAINPILOT_TEST_MYSQL_URL.
 * `flags`: more of the server's own; only for one that is started here.
 * Undefined, with the test skipped and told how to get one, when there is neither. What was started ends with the test.
 */
export async function databaseServer(
  t: Context,
  flags: readonly string[] = [],
  kind: Kind = KIND,
): Promise<DatabaseServer | undefined> {
  const { DOMAINPILOT_TEST_MYSQL_URL: running, CI } = process.env
  if (running !== undefined) {
    const { hostname, port, username, password } = new URL(running)
    return server({
      host: hostname,
      port: Number(port || 3306),
      user: username,
      password: decodeURIComponent(password),
    })
  }
  const found = program(kind)
  if (found === undefined) {
    if (CI !== undefined) throw new Error(HOW[kind])
    t.skip(HOW[kind])
    return undefined
  }
  const { port, own } = await startOwn(t, found, flags)
  return { ...server({ host: '127.0.0.1', port, user: 'root', password: '' }), own }
}

interface Admin {
  host: string
  port: number
  user: string
  password: string
}

function server(admin: Admin): DatabaseServer {
  const { host, port } = admin
  async function rows(statement: string, database = 'mysql'): Promise<Record<string, unknown>[]> {
    const connection = await createConnection({ ...admin, database, multipleStatements: true, connectTimeout: 5000 })
    try {
      const [result] = await connection.query(statement)
      return result as Record<string, unknown>[]
    } finally {
      connection.destroy()
    }
  }
  const sql = async (statements: string, database?: string): Promise<void> => void (await rows(statements, database))
  return {
    host,
    port,
    sql,
    rows,
    async database() {
      const id = randomBytes(4).toString('hex')
      const [name, user, password] = [`wp_${id}`, `reader_${id}`, `geheim-${id}`]
      await sql(
        `SET sql_mode = ''; CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
        CREATE USER '${user}'@'%' IDENTIFIED BY '${password}'; GRANT SELECT ON ${name}.* TO '${user}'@'%'`,
      )
      return {
        name,
        user,
        password,
        url: (through = port) => `mysql://${user}:${password}@${host}:${through}/${name}`,
        // As WordPress sets it: dates that are none are stored.
        sql: (statements) => sql(`SET sql_mode = ''; ${statements}`, name),
      }
    },
  }
}

async function startOwn(
  t: Context,
  { server: [program, ...first], install, flags: usual }: Program,
  flags: readonly string[],
) {
  const folder = await mkdtemp(join(tmpdir(), 'domainpilot-database-'))
  const port = await freePort()
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
  const own = {
    pid: () => child?.pid as number,
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
      const args = [
        `--datadir=${data}`,
        `--tmpdir=${temporary}`,
        `--port=${port}`,
        `--socket=${join(folder, 's')}`,
        '--bind-address=127.0.0.1',
      ]
      const started = spawn(program, [...first, '--no-defaults', ...args, ...asRoot, ...usual, ...ALWAYS, ...flags], {
        stdio: ['ignore', log.fd, log.fd],
      })
      child = started
      await log.close()
      await until(
        'the server is ready',
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
  await install(data)
  await own.start()
  return { port, own }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise((resolve) => listener.close(resolve))
  return port
}
