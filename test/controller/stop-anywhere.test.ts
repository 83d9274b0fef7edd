import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createChecks } from '../../src/controller/checks/checks.ts'
import { createDaemon } from '../../src/controller/daemon.ts'
import { quiet } from '../../src/log/quiet.ts'
import { ServerPilotError } from '../../src/serverpilot/errors.ts'
import type { ServerPilot, ServerPilotApp } from '../../src/serverpilot/serverpilot.ts'
import { unlessAborted } from '../../src/time/within.ts'
import { type Part, stopAnywhere } from '../stop-anywhere.ts'
import { createWorld, names, type World } from './world.ts'

const reporting = (act: (what: string) => void) => ({
  reconciled: () => act('reconciled'),
  objectsChanged: () => act('objects changed'),
})

/** A daemon that reads its folder and leads at once, with its checks. */
function daemonOf(world: World, act: (what: string) => void): Part {
  const daemon = createDaemon({
    context: world.context,
    reporter: reporting(act),
    log: quiet,
    workers: 2,
    sweepSchedule: '* * * * *',
    hooks: {},
    checks: (enqueue) =>
      createChecks({
        context: world.context,
        schedule: '*/5 * * * *',
        served: true,
        resolver: () => ({ ask: () => new Promise(() => undefined), close: () => undefined }) as never,
        shake: () => new Promise(() => undefined),
        enqueue,
        log: quiet,
      }),
  })
  return {
    clock: world.clock,
    async start() {
      await daemon.start()
      await daemon.lead()
    },
    stop: () => daemon.stop(0),
  }
}

type Manner = 'answers' | 'hangs' | 'fails'

/** An account without connections of its own, which would be found at work after the stop. */
function account(appId: string, manner: Manner): ServerPilot {
  const app: ServerPilotApp = { id: appId, name: 'network', serverId: 's', domains: ['by-hand.example.org'], ssl: null }
  const failure = new ServerPilotError({ reason: 'ApiUnreachable', message: 'away' })
  async function answer<T>(value: T, signal = new AbortController().signal): Promise<T> {
    signal.throwIfAborted()
    if (manner === 'fails') throw failure
    if (manner === 'hangs') await unlessAborted(signal, () => new Promise(() => undefined))
    return value
  }
  return {
    account: 'cid',
    listApps: (signal) => answer([app], signal),
    getApp: (_, signal) => answer(app, signal),
    writeDomains: (_, domains, signal) => {
      app.domains = [...domains]
      return answer('success', signal)
    },
    changeSsl: (_, __, signal) => answer('success', signal),
    getServer: (id, signal) => answer({ id, name: 's', plan: 'coach', lastAddress: '127.0.0.1' }, signal),
    leaveToWrite: async () => ({ use: () => true, end: () => undefined }),
    exclusively: (_, job) => job(),
  }
}

describe('stop-during-the-first-read', { timeout: 120_000 }, () => {
  for (const manner of ['answers', 'hangs', 'fails'] as const) {
    test(`the daemon, while ServerPilot ${manner}`, async (t) => {
      const world = await createWorld(t)
      for (const name of names(5)) await world.map(name)
      const points = await stopAnywhere(
        async (act) => {
          await world.restart()
          world.context.ports.accountOf = async () => account(world.appId, manner)
          return daemonOf(world, act)
        },
        { stride: 5, points: 80, patience: 2_000 },
      )
      assert.ok(points > 3, `${points} points`)
    })
  }
})
