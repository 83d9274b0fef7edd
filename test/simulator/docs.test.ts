import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FAULT_KINDS } from '../../src/simulator/faults.ts'
import { defaultBehaviours, defaultIssuance } from '../../src/simulator/options.ts'
import { ENDPOINTS } from '../../src/simulator/router.ts'
import { bench } from './client.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/simulator.md'), 'utf8')

test('the documentation names every behaviour with its default, every fault, endpoint and duration', () => {
  for (const [name, value] of Object.entries(defaultBehaviours)) {
    const shown = Array.isArray(value) ? '[]' : String(value)
    assert.ok(page.includes(`| \`${name}\` | \`${shown}\``), `${name}: ${shown}`)
  }
  for (const name of [...FAULT_KINDS, ...ENDPOINTS]) assert.ok(page.includes(`\`${name}\``), name)
  for (const name of Object.keys(defaultIssuance)) assert.ok(page.includes(`\`issuance.${name}\``), name)
})

test('the documentation names every control call', async (t) => {
  const { control } = await bench(t)
  for (const route of (await control('GET', '')).body.routes as string[]) {
    const [method = '', path = ''] = route.split(' ')
    const row = page.split('\n').find((line) => line.startsWith('| `') && line.includes(method) && line.includes(path))
    assert.ok(row, route)
  }
})
