import { isolate } from './isolate.ts'
import { expect, post, type WriteJob, type Written } from './write-job.ts'

/**
 * Writes the plan's list; a list that the API refuses is taken apart until its good names are in.
 * Throws only while nothing can have had an effect.
 */
export async function writeList(job: WriteJob): Promise<Written> {
  const { plan } = job
  const base = plan.list.slice(0, plan.list.length - plan.additions.length)
  const additions = plan.additions.map((each) => each.host)
  const failure = await post(job, plan.list, job.leave)
  if (failure?.reason === 'Rejected' && additions.length > 0) return await isolate(job, base, failure)
  if (failure?.outcome === 'none') throw failure
  return { expected: expect(base, additions), rejected: new Map(), waiting: [], failure }
}
