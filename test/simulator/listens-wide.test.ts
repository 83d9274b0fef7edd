import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { launch, until } from '../e2e/process.ts'
import { bench } from './client.ts'

/** Status of a control call with these headers, as a browser may send them and `fetch` may not. */
const ask = (controlUrl: string, headers: Record<string, string>, method = 'GET', path = 'state'): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(`${controlUrl}/${path}`, { method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject).end(method === 'GET' ? undefined : '{"apiKey":"taken"}')
  })

const simulate = async (t: Parameters<typeof launch>[0], ...args: string[]) => {
  const running = launch(t, ['simulate', '-o', 'json', ...args])
  const line = await until('the first line', () => /^(.*)\n/.exec(running.stdout())?.[1])
  const { port } = new URL((JSON.parse(line) as { url: string }).url)
  return `http://127.0.0.1:${port}/_control`
}

describe('the-simulator-listens-wide', { concurrency: 2 }, () => {
  for (const listen of ['0.0.0.0:0', ':0', '[::]:0'])
    test(`simulate --listen ${listen}: no control API`, async (t) => {
      assert.equal(await ask(await simulate(t, '--listen', listen), {}), 403)
    })

  test('simulate --listen 0.0.0.0:0 --control: it was asked for', async (t) => {
    const url = await simulate(t, '--listen', '0.0.0.0:0', '--control')
    assert.equal(await ask(url, {}), 200)
    assert.equal(await ask(url, { host: 'evil.example' }), 403)
  })

  for (const args of [[], ['--listen', 'localhost:0'], ['--listen', '127.0.0.2:0']])
    test(`simulate ${args.join(' ')}: on loopback it answers`, async (t) => {
      const url = await simulate(t, ...args)
      assert.equal(await ask(args[1] === '127.0.0.2:0' ? url.replace('127.0.0.1', '127.0.0.2') : url, {}), 200)
    })

  test('what it prints names the control API only where there is one', async (t) => {
    for (const [args, there] of [
      [['--listen', '0.0.0.0:0'], false],
      [['--listen', '0.0.0.0:0', '--control'], true],
      [[], true],
    ] as const) {
      const running = launch(t, ['simulate', ...args])
      await until('the last line', () => running.stdout().includes('Ctrl-C'))
      assert.equal(running.stdout().includes('/_control'), there, running.stdout())
    }
  })

  test('never for a foreign Host or Origin, on loopback or where it was asked for', async (t) => {
    for (const listen of [{}, { host: '0.0.0.0' }]) {
      const { simulator, control } = await bench(t, { listen, control: true })
      const url = simulator.controlUrl.replace('0.0.0.0', '127.0.0.1')
      const { host, port, origin } = new URL(url)
      const cases: [headers: Record<string, string>, status: number][] = [
        [{ host }, 200],
        [{ host: `localhost:${port}` }, 200],
        [{ host: `LOCALHOST.:${port}` }, 200],
        [{ host: `[::1]:${port}` }, 200],
        [{ host: `evil.example:${port}` }, 403],
        [{ host: 'evil.example' }, 403],
        [{ host: `127.0.0.1.evil.example:${port}` }, 403],
        [{ host, origin }, 200],
        [{ host: `localhost:${port}`, origin: `http://localhost:${port}` }, 200],
        [{ host, origin: 'https://evil.example' }, 403],
        [{ host, origin: 'null' }, 403],
        [{ host, origin: 'http://127.0.0.1:1' }, 403],
        [{ host: `evil.example:${port}`, origin: `http://evil.example:${port}` }, 403],
      ]
      for (const [headers, status] of cases) {
        assert.equal(await ask(url, headers), status, JSON.stringify(headers))
        assert.equal(await ask(url, headers, 'PUT', 'credentials'), status, JSON.stringify(headers))
        await control('PUT', 'credentials', { apiKey: simulator.apiKey })
      }
      // The account itself asks for credentials, and answers by any name: a service of a cluster has one.
      assert.equal((await fetch(url.replace('_control', 'v1/apps'))).status, 401)
    }
  })
})
