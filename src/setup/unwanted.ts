import { type Host, parseHost } from '../domain/host.ts'
import { type Given, UsageError } from './option.ts'

/** The foreign hosts that `--remove-foreign` asks to remove. Throws `UsageError` for what is not a host. */
export function unwantedHosts({ removeForeign }: Given): ReadonlySet<Host> {
  const names = Array.isArray(removeForeign) ? removeForeign.map(String) : []
  return new Set(
    names.map((name) => {
      const parsed = parseHost(name)
      if (parsed.ok) return parsed.host
      throw new UsageError(`--remove-foreign ${name}: ${parsed.message}`)
    }),
  )
}
