import { visible } from '../log/visible.ts'
import { painter } from '../report/terminal.ts'
import { type Io, outJson } from '../setup/io.ts'
import type { Given } from '../setup/option.ts'

/** One line of the connection test. */
export interface Finding {
  verdict: 'ok' | 'warn' | 'fail'
  what: string
  /** What was found, or the cause. */
  detail: string
  cure?: string | undefined
}

const finding =
  (verdict: Finding['verdict']) =>
  (what: string, detail: string, cure?: string): Finding => ({ verdict, what, detail, cure })

export const ok = finding('ok')
export const warn = finding('warn')
export const fail = finding('fail')

/** Prints findings, each with its cure, as text or JSON. */
export function printFindings(io: Io, given: Given, findings: readonly Finding[]): void {
  if (given.output === 'json') {
    outJson(io, { findings })
    return
  }
  const paint = painter(io.colour && io.outIsTerminal)
  const tone = { ok: 'ok', warn: 'work', fail: 'bad' } as const
  for (const { verdict, what, detail, cure } of findings) {
    io.out(`${paint(tone[verdict], verdict.padEnd(4))}  ${visible(`${what}: ${detail}`)}\n`)
    if (cure) io.out(`      → ${visible(cure)}\n`)
  }
}
