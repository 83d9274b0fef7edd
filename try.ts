import { planOf, run } from './test/simulation/simulation.ts'
const [from, to, hours] = process.argv.slice(2).map(Number)
let all = 0; let events = 0
const s = performance.now()
for (let n = from!; n <= to!; n++) {
  const s1 = performance.now()
  const r = await run(planOf(String(n), hours!))
  all += r.hours; events += r.events
  if (r.violations.length > 0) console.log('SEED', n, r.hours.toFixed(1), 'h', r.violations[0], Math.round(performance.now()-s1), 'ms')
  if (process.env.STORY) console.log(r.story.join('\n'), '\n', r.log.slice(-Number(process.env.STORY)).join(''))
}
console.log(all.toFixed(0), 'hours', events, 'events', ((performance.now() - s) / all).toFixed(1), 'ms per hour')
