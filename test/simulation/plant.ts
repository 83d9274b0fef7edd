/** Loaded before a program of a world (`node --import`): puts the planted fault of that number into the source. */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PLANTED_FAULTS } from './planted-faults.ts'

const fault = PLANTED_FAULTS[Number(process.env.DOMAINPILOT_PLANTED_FAULT)]
if (fault === undefined) throw new Error(`there is no planted fault ${process.env.DOMAINPILOT_PLANTED_FAULT}`)
const { file, from, to } = fault
const place = join(import.meta.dirname, '../../src', file)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.startsWith('file:') || fileURLToPath(url) !== place) return loaded
    const text = String(loaded.source)
    if (text.split(from).length !== 2) throw new Error(`${file} has to have this once: ${from}`)
    return { ...loaded, source: text.replace(from, () => to) }
  },
})
