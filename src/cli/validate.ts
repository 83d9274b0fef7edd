import type { PassedOver } from '../api/yaml.ts'
import { parseHost } from '../domain/host.ts'
import { visible } from '../log/visible.ts'
import { readFlags } from '../setup/flags.ts'
import { EXIT, type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'
import { readManifests } from '../source/manifests/manifests.ts'

/** Why something in a file is passed over. */
const PASSED_OVER: Record<PassedOver['what'], string> = {
  NoObject: 'without apiVersion and kind, and nothing in it is meant for domainpilot',
  Template: 'a template that does not name domainpilot',
}

/** `validate PATH…`: reads objects offline; every fault with file, line, column, field. */
export async function validateCommand(io: Io, given: Given, paths: readonly string[]): Promise<number> {
  const read = await readManifests(paths, readFlags(given, io.environment))
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
    outJson(io, { apps: read.apps.size, mappings: read.mappings.size, faults, passedOver: read.passedOver })
  } else {
    for (const { place, message } of faults) io.out(`${visible(`${place}: ${message}`)}\n`)
    for (const { file, what } of read.passedOver) io.out(`${visible(file)}: passed over: ${PASSED_OVER[what]}\n`)
    if (faults.length === 0) io.out(`${read.apps.size} app(s) and ${read.mappings.size} mapping(s), no fault.\n`)
  }
  if (faults.length > 0) io.err(`${faults.length} fault(s).\n`)
  return faults.length > 0 ? EXIT.failed : EXIT.done
}
