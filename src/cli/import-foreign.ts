import type { App } from '../api/objects.ts'
import type { Host } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { EXIT, errLine, type Io } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { leftovers } from './foreign.ts'
import { mappingsText } from './import-text.ts'
import { looking, passWithProgress } from './pass.ts'

/** `import --foreign`: prints mappings for what is on the apps and nobody asks for. */
export async function importForeign(io: Io, given: Given): Promise<number> {
  return await looking(io, given, async (setup) => {
    const outcomes = await passWithProgress(io, setup, 'Looking at')
    io.signal.throwIfAborted()
    let count = 0
    for (const outcome of outcomes) {
      const hosts = leftovers(setup.objects, outcome)
      count += hosts.length
      if (outcome.app !== undefined && hosts.length > 0) io.out(foreignText(outcome.app, hosts))
      if (outcome.failure !== undefined)
        errLine(io, `${outcome.key}: ${outcome.failure.reason}: ${outcome.failure.message}`)
    }
    if (outcomes.some(({ failure, frozen }) => failure !== undefined || frozen.size > 0)) return EXIT.failed
    if (count === 0) io.err('No host is foreign.\n')
    return EXIT.done
  })
}

function foreignText({ namespace, name, key, spec }: App, hosts: readonly Host[]): string {
  const head = `# On ${key} (${spec.appId}), and no mapping asks for it. Keep what is to be served, and delete the rest.\n`
  return `${visible(head.trimEnd())}\n${mappingsText(hosts, { name, namespace })}`
}
