import { parseHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { EXIT, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readManifests } from '../source/manifests/manifests.ts'

/** `validate PATH…`: reads objects offline; every fault with file, line, column, field. */
export async function validateCommand(io: Io, given: Given, paths: readonly string[]): Promise<number> {
  const read = await readManifests(paths)
  const faults = [
    ...read.faults.map(({ place, message }) => ({ place, message })),
    ...[...read.mappings.values()].flatMap((mapping) => {
      const parsed = parseHost(mapping.domain)
      return parsed.ok
        ? []
        : [{ place: mapping.place, message: `DomainMapping ${mapping.key}: spec.domain: ${parsed.message}` }]
    }),
  ]
  if (given.output === 'json') {
    outJson(io, { apps: read.apps.size, mappings: read.mappings.size, faults })
  } else {
    for (const { place, message } of faults) io.out(`${visible(`${place}: ${message}`)}\n`)
    if (faults.length === 0) io.out(`${read.apps.size} app(s) and ${read.mappings.size} mapping(s), no fault.\n`)
  }
  if (faults.length > 0) io.err(`${faults.length} fault(s).\n`)
  return faults.length > 0 ? EXIT.failed : EXIT.done
}
