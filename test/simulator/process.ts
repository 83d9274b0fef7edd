/** A simulator in a process of its own, for tests that kill it. First argument: its state file. */
import { startSimulator } from '../../src/simulator/simulator.ts'

const { url, clientId, apiKey, apps } = await startSimulator({ stateFile: process.argv[2]! })
process.send?.({ url, clientId, apiKey, apps })
