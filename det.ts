import { createHash } from 'node:crypto'
import { planOf, run } from './test/simulation/simulation.ts'
for (const seed of ['3','9','10','2']) {
  const d = []
  for (let i=0;i<2;i++){ const r = await run(planOf(seed, 24)); d.push(createHash('sha256').update(r.story.join('\n')+r.log.join('')+r.turns).digest('hex').slice(0,12)+' '+r.turns) }
  console.log(seed, d)
}
