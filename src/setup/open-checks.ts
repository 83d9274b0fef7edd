import type { DaemonOptions } from '../controller/daemon.ts'
import type { Setup } from './setup.ts'

/** The checks of DNS and certificates, loaded only where they are wanted. */
export async function openChecks({
  settings,
  context,
  cluster,
  metrics,
  log,
}: Setup): Promise<DaemonOptions['checks']> {
  const { checkSchedule } = settings
  if (checkSchedule === undefined) return undefined
  const [{ createChecks }, { createResolver }] = await Promise.all([
    import('../controller/checks/checks.ts'),
    import('./resolver.ts'),
  ])
  return (enqueue) => {
    const checks = createChecks({
      context,
      schedule: checkSchedule,
      served: settings.checkServed,
      resolver: createResolver(settings),
      enqueue,
      resolverAnswers: (answers) => metrics.note('dns_resolver_failing', answers ? 0 : 1),
      log,
    })
    cluster?.onDnsRead(({ app, hosts, rightSince }) => checks.recall(app, hosts, rightSince))
    return checks
  }
}
