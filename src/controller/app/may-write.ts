import type { App } from '../../api/objects.ts'
import { writesUnder } from '../../api/policy.ts'
import type { Context } from '../context/context.ts'
import { stageOf } from './finalize.ts'
import type { Pass } from './pass.ts'

/** The one choke point of dry run: past it, things are written. */
export const readsOnly = ({ mode }: Context, app: App): boolean => mode.dryRun || !writesUnder(app.spec.policy)

/** False when the object was changed meanwhile so that this pass has nothing more to say: the next one sees to it. */
export function mayGoOn({ context, app, stage }: Pass, current: App): boolean {
  const same = current.spec.appId === app.spec.appId && stageOf(context, current) === stage
  return same && current.fault === undefined && !current.spec.suspend && !readsOnly(context, current)
}
