import type { TestEvent } from 'node:test/reporters'

/** A reporter of `node --test`: the files with a failure, each on a line, once. */
export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const told = new Set<string>()
  for await (const event of events) {
    if (event.type !== 'test:fail' || event.data.file === undefined || told.has(event.data.file)) continue
    told.add(event.data.file)
    yield `${event.data.file}\n`
  }
}
