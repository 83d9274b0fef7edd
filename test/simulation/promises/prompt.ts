import type { World } from '../world.ts'

/** A list that lost names is read again over ten seconds, a first failure is tried again within seconds; the next sweep may be a minute away. */
const PROMPT = 25_000
const STEP = 1_000

/** At rest somebody maps one more name, and one call fails: it is on the list long before a sweep would see to it. Gives what to tell. */
export async function checkPrompt(world: World): Promise<string | undefined> {
  const { declared, databases, serverpilot, ledger, time } = world
  const app = [...declared.apps.values()].find(
    ({ appId, requireSince }) => requireSince === undefined && !databases.servers.has(appId),
  )
  if (app === undefined) return undefined
  const number = Math.floor(time.now() / STEP)
  const domain = `p${number}.example.com`
  const { faults } = serverpilot.core
  faults.add({ kind: 'status', method: 'POST', times: 1 })
  declared.putMapping({ name: `m-p${number}`, app: app.name, domain })
  const isThere = (): boolean => serverpilot.listed(app.appId).includes(domain)
  const end = time.now() + PROMPT
  while (!isThere() && time.now() < end) await time.runUntil(time.now() + STEP, isThere)
  faults.clear()
  if (!isThere()) ledger.violate('prompt', `${domain} is not on ${app.name} ${PROMPT / 1000} s after it was mapped`)
  return `${domain} is mapped to ${app.name}, and one call fails`
}
