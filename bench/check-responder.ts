import { responder } from '../test/check/dns/responder.ts'

/** A DNS server in a process of its own, so that its cost is not that of who asks. Tells its address, and the questions so far when asked. */
const server = await responder({ after: () => {} }, () => ['192.0.2.10'])
process.on('message', () => process.send?.(server.queries.length))
process.send?.(server.address)
