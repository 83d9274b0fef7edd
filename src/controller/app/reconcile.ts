import type { Key } from '../../api/objects.ts'
import type { Found, Outcome } from '../../status/outcome.ts'
import type { Context } from '../context/context.ts'
import { act, decideNow, declaredIn, foundOf, mayGoOn, readsOnly } from './act.ts'
import { bringFinalizer, finalize, letUnreadableGo, refuse, stageOf } from './finalize.ts'
import { findAccount, gatherDeclared, gatherFacts } from './gather.ts'
import { collect, type Pass } from './pass.ts'
import { gone, report } from './report.ts'
import { bringSsl, judgeSsl } from './ssl.ts'

/**
 * Brings one app in line with its mappings, in the order of docs/how-it-decides.md. Level-triggered: whatever was missed before is
 * made good here. Never throws, but for the abort reason of `signal`: a failure is part of the outcome.
 */
export async function reconcile(context: Context, key: Key, signal: AbortSignal): Promise<Outcome> {
  const startedAt = context.ports.clock.now()
  const app = context.ports.objects.app(key)
  if (app === undefined) return gone(context, { key, startedAt, ...(await letUnreadableGo(context, key)) })
  const pass: Pass = { context, app, stage: stageOf(context, app), signal }
  const served = await collect<Found>(steps(pass), signal, { startedAt })
  const isLetGo = pass.stage === 'let go' && served.failure === undefined && served.leftBehind === undefined
  if (isLetGo) return gone(context, { key, ...served })
  if (pass.stage !== 'finalize') return report(pass, served)
  return report(pass, await collect<Found>(finalize(pass, served), signal, served))
}

/** The steps of a pass: gather, decide, act. Each gives what it found out or did; what throws ends the pass. */
async function* steps(pass: Pass): AsyncGenerator<Found> {
  const { context, app, stage } = pass
  if (app.fault !== undefined) return yield await refuse(pass, app.fault)
  await bringFinalizer(context, app, stage)
  if (stage === 'let go') return
  if (app.spec.suspend) return yield { result: 'Suspended' }

  const account = await findAccount(pass)
  const declared = await gatherDeclared(account)
  yield declaredIn(declared)

  const facts = await gatherFacts(account, declared)
  const decided = decideNow(pass, facts)
  yield foundOf(decided)
  if (readsOnly(context, app)) return yield { result: 'Planned', ...(context.mode.oneShot ? judgeSsl(facts) : {}) }

  const acted = await act(account, decided)
  yield foundOf(acted)
  // Waiting for the server may have taken minutes.
  const current = context.ports.objects.app(app.key)
  if (acted.failure !== undefined || current === undefined || !mayGoOn(pass, current)) return
  if (stage === 'serve') yield await bringSsl({ ...account, app: current }, acted.facts)
}
