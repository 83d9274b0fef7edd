import { createWorld } from './test/simulation/world.ts'
const w = createWorld('1', 1)
w.declared.putApp({ name: 'app1', appId: w.serverpilot.core.apps[0]!, policy: 'Sync', suspend: false, deletionPolicy: 'Retain', approval: '' })
w.declared.putMapping({ name: 'a', app: 'app1', domain: 'a.example.com' })
w.start()
await w.time.runUntil(60_000)
console.log(w.disk.names('/var/lib/domainpilot'), w.disk.text('/var/lib/domainpilot/status.json')?.slice(0,1500))
