import { planOf, run } from './test/simulation/simulation.ts'
const [from, to, hours] = process.argv.slice(2).map(Number)
let all = 0; let events = 0
const s = performance.now()
for (let n = from!; n <= to!; n++) {
  const s1 = performance.now()
  const plan = planOf(String(n), hours!)
  const c = process.cpuUsage()
  const r = await run(plan)
  const u = process.cpuUsage(c)
  all += r.hours; events += r.events
  if (process.env.EACH) console.log(n, plan.setting.place, plan.setting.daemons, plan.setting.apps, ((u.user+u.system)/1000/r.hours).toFixed(0), 'cpu ms per hour', (r.turns/r.hours).toFixed(0), 'turns per hour')
  if (r.violations.length > 0) console.log('SEED', n, plan.setting.place, plan.setting.daemons, r.hours.toFixed(1), 'h', r.violations[0], Math.round(performance.now()-s1), 'ms')
  if (process.env.STORY) console.log(r.story.join('\n'), '\n', r.log.slice(-Number(process.env.STORY)).join(''))
}
console.log(all.toFixed(0), 'hours', events, 'events', ((performance.now() - s) / all).toFixed(1), 'ms per hour')
