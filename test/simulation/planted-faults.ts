/** A fault planted into the real code: the text that it replaces has to stand in the file once. */
export interface PlantedFault {
  name: string
  /** Below src/. */
  file: string
  from: string
  to: string
}

const WRITE = 'controller/app/write.ts'
const CLAIMS = 'ownership/claims.ts'
const CHANGES = 'controller/app/record-changes.ts'

/** Faults that lose something, write too much or stall: each has to be found by worlds that live on a seed. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  { name: 'no claim before a write', file: WRITE, from: '  await save(job, claim)\n', to: '' },
  {
    name: 'a claim without the hosts that are added',
    file: CHANGES,
    from: "claims.claimHosts(before, plan.additions.map(claimOf), 'Pending', now)",
    to: 'before',
  },
  {
    name: 'removals are not noted before the write',
    file: CHANGES,
    from: '  next = claims.recordRemovals(next, plan.removals, now, plan.approved, app.spec.safety.window)\n',
    to: '',
  },
  {
    name: 'what was read back is not saved',
    file: WRITE,
    from: '  await save(job, result.record)\n',
    to: '',
  },
  {
    name: 'a write that may still land is forgotten soon',
    file: 'ownership/record.ts',
    from: 'LATE_WRITE_MS = 120_000',
    to: 'LATE_WRITE_MS = 1_000',
  },
  {
    name: 'a list that lost names is believed at once',
    file: 'controller/app/gather.ts',
    from: '  refuseWhileDoubted(pass)\n  return observed',
    to: '  return observed',
  },
  {
    name: 'the list of the sweep is written on, not a fresh one',
    file: 'controller/app/act.ts',
    from: 'const read = leave && (await readForWrite(pass, first.facts, leave))',
    to: 'const read = leave && first.facts.observed',
  },
  {
    name: 'the budget counts removals of the last minute alone',
    file: 'ownership/budget.ts',
    from: 'if (now - removal.at >= window) continue',
    to: 'if (now - removal.at >= 60_000) continue',
  },
  {
    name: 'the budget is never exceeded',
    file: 'plan/safety.ts',
    from: 'share.percent <= safety.maxRemovalPercent',
    to: 'share.percent <= 100',
  },
  {
    name: 'removals wait for nothing',
    file: 'plan/holds.ts',
    from: '  if (at <= now) return undefined\n',
    to: '  if (at <= now + 3_600_000) return undefined\n',
  },
  {
    name: 'a source that failed does not hold removals',
    file: 'plan/holds.ts',
    from: '  if (frozen.size === 0) return undefined\n',
    to: '  if (frozen.size >= 0) return undefined\n',
  },
  {
    name: 'hosts of ours that are absent are released at once',
    file: CHANGES,
    from: '  next = claims.noteAbsent(next, plan.absent, now)\n',
    to: '  next = claims.release(next, plan.absent)\n',
  },
  {
    name: 'a write of unknown end is taken for ended',
    file: WRITE,
    from: 'written.failure === undefined ? claims.endWrite(claim, record) : claim)',
    to: 'claims.endWrite(claim, record))',
  },
  {
    name: 'a host whose write has no known end is forgotten',
    file: CLAIMS,
    from: "  return changeClaims(record, hosts, (claim) =>\n    claim.state === 'Uncertain' ? claim : { ...claim, state: 'Uncertain' },\n  )",
    to: '  return release(record, hosts)',
  },
  {
    name: 'a write does not ask whether it may',
    file: 'serverpilot/client.ts',
    from: 'options.assertMayWrite?.()',
    to: 'undefined',
  },
  {
    name: 'a key that is under way is handed out again',
    file: 'controller/queue/queue-state.ts',
    from: '    if (!item.running) {\n      ready.low.delete(key)',
    to: '    if (key !== undefined) {\n      ready.low.delete(key)',
  },
  {
    name: 'a failure is not tried again',
    file: 'controller/daemon.ts',
    from: '    if (failure?.retryable) {',
    to: '    if (failure?.retryable && key === undefined) {',
  },
  {
    name: 'a file that cannot be read is empty',
    file: 'source/manifests/state.ts',
    from: 'const faults: SourceFault[] = [...read.troubles]',
    to: 'const faults: SourceFault[] = []',
  },
  {
    name: 'changes that a watch tells are passed over',
    file: 'kubernetes/reflector-state.ts',
    from: "if (state.at !== 'watching') return to(state)\n      return to(seen(state, event.version), { do: 'apply', change: event.change })",
    to: 'return to(state)',
  },
  {
    name: 'a record that changed meanwhile is overwritten',
    file: 'kubernetes/client-apis.ts',
    from: 'const body = { metadata: { resourceVersion, labels',
    to: 'const body = { metadata: { labels',
  },
  {
    name: 'the lock of the state folder is not looked at',
    file: 'ownership/lock.ts',
    from: 'visible ? !(await isRunning(holder))',
    to: 'visible ? true',
  },
  {
    name: 'a record is written in place',
    file: 'ownership/durable-file.ts',
    from: '      await file.sync()\n',
    to: '',
  },
  {
    name: 'a mapping that moves leaves before it has arrived',
    file: 'plan/holds.ts',
    from: '[sourceFailed, mappingKeeps, contended, moving]',
    to: '[sourceFailed, mappingKeeps, contended]',
  },
  {
    name: 'an older copy of a database is believed',
    file: 'source/wordpress/state.ts',
    from: '    if (id === undefined || id > seen) continue\n',
    to: '    if (id === undefined || id >= 0n) continue\n',
  },
  {
    name: 'the rows of sites that are not served count',
    file: 'source/wordpress/rows.ts',
    from: "flag !== null && flag !== '' && !/^0+$/.test(flag)",
    to: "flag === 'never'",
  },
  {
    name: 'a standby takes a Lease that is held',
    file: 'kubernetes/lease-state.ts',
    from: 'return now.monotonic - seen.since > duration',
    to: 'return now.monotonic - seen.since > duration / 20',
  },
  {
    name: 'Require takes every host',
    file: 'check/dns/judge.ts',
    from: "return verdict?.state === 'Ready'",
    to: 'return verdict !== null',
  },
  {
    name: 'a host whose DNS is wrong is looked at again after a day',
    file: 'check/dns/memory.ts',
    from: 'wrong: { first: MINUTE, longest: 15 * MINUTE }',
    to: 'wrong: { first: 24 * HOUR, longest: 24 * HOUR }',
  },
  {
    name: 'a resolver that is down is never asked again',
    file: 'controller/checks/checks.ts',
    from: 'outage !== undefined && (outage.dueAt <= now || outage.dueAt - now > LONGEST_OUTAGE_PAUSE)',
    to: 'outage === null && now > LONGEST_OUTAGE_PAUSE',
  },
  {
    name: 'a certificate that is ready is not taken',
    file: 'controller/app/ssl-state.ts',
    from: '  switchOn: { when: isOff, decide: () => ({ change: { auto: true } }) },',
    to: '',
  },
]
