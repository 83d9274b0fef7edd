/** A line of a watch that means nothing: what it said is lost, so the whole has to be read again. */
export class UndecodableLine extends Error {
  override readonly name = 'UndecodableLine'
}

const NEWLINE = 0x0a

/**
 * Cuts a stream of bytes into lines of JSON and decodes them; gives all lines of a chunk at once.
 * Throws `UndecodableLine` for one that is not valid JSON or UTF-8, or is cut off by the end of the stream; empty lines count for
 * nothing. Reading on after that is the caller's mistake: the lines behind a hole are not to be trusted.
 */
export async function* jsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  // Bytes, not text: a chunk may end in the middle of a character.
  let rest: Uint8Array[] = []
  for await (const chunk of stream) {
    const values: unknown[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, end)])
      rest = []
      from = end + 1
      const value = decode(line, decoder)
      if (value !== undefined) values.push(value)
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
    yield values
  }
  if (Buffer.concat(rest).toString('latin1').trim() !== '') throw new UndecodableLine('the last line has no end')
}

function decode(line: Uint8Array, decoder: { decode(bytes: Uint8Array): string }): unknown {
  try {
    const text = decoder.decode(line)
    return text.trim() === '' ? undefined : (JSON.parse(text) as unknown)
  } catch (cause) {
    // The cause quotes the line; it is kept, but stands in no message.
    throw new UndecodableLine('a line cannot be decoded', { cause })
  }
}
