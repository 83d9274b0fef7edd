import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a file came to when PHP ran it; texts as PHP converts them, an object for an array. */
export interface Ran {
  file: string
  /** It ended in an error. */
  fault: boolean
  constants: Record<string, unknown>
  variables: Record<string, unknown>
}

/** Whether PHP is there; else the test is skipped with a line that says how to get it. */
export async function hasPhp(t: TestContext): Promise<boolean> {
  const found = await run('php', ['-r', 'exit(function_exists("pcntl_fork") ? 0 : 1);']).then(
    () => true,
    () => false,
  )
  if (!found) t.skip('php with pcntl is not installed: apt-get install php-cli')
  return found
}

/** Runs files with PHP as WordPress does. Files that PHP gives up on are left out. */
export async function runPhp(
  files: readonly string[],
  names: { constants: readonly string[]; variables: readonly string[] },
  environment: Readonly<Record<string, string>>,
): Promise<Ran[]> {
  const { stdout } = await run('php', [join(import.meta.dirname, 'run.php'), JSON.stringify(names), ...files], {
    env: { PATH: process.env.PATH, ...environment },
    maxBuffer: 2 ** 28,
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Ran)
}
