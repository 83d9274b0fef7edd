import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildProgram } from '../../src/cli/program.ts'
import { OPTION_LIST } from '../../src/setup/flags.ts'
import { UsageError, variableOf } from '../../src/setup/option.ts'
import { readSettings } from '../../src/setup/settings.ts'
import { silentIo } from './silent-io.ts'

const settings = (given: Record<string, unknown>, environment: Record<string, string> = {}) =>
  readSettings(given, environment, () => '')

/** The options that a command line gives to a command. */
function given(command: string, ...words: string[]): { options: Record<string, unknown>; operands: string[] } {
  const found = programOf().commands.find((each) => each.name() === command)
  assert.ok(found, command)
  const { operands, unknown } = found.parseOptions(words)
  assert.deepEqual(unknown, [], `${command} does not know ${unknown.join(' ')}`)
  return { options: found.opts(), operands }
}

const programOf = (environment: Record<string, string> = {}) =>
  // A command that took no notice would begin its work: it ends, and the test fails.
  buildProgram({ ...silentIo(), environment, signal: AbortSignal.timeout(10_000) }, () => undefined)

/** Every switch of every command: what has no value, and what has true or false for one. */
const SWITCHES = programOf().commands.flatMap((command) =>
  command.options
    .filter((option) => !option.hidden && (option.isBoolean() || option.argChoices?.includes('true')))
    .map((option) => ({ command: command.name(), flag: option.long ?? '', name: option.attributeName() })),
)

describe('flags-without-a-value', () => {
  for (const [command, flag] of [
    ['run', '--dry-run'],
    ['run', '--leader-elect'],
    ['run', '--check-served'],
    ['plan', '--exit-code'],
    ['approve', '--wait'],
  ])
    test(`${command} ${flag} is one`, () =>
      assert.ok(SWITCHES.some((each) => each.command === command && each.flag === flag)))

  for (const { command, flag, name } of SWITCHES) {
    test(`${command} ${flag}, =true, =false; the last one counts`, () => {
      const value = (...words: string[]): string => {
        const { options, operands } = given(command, ...words, 'operand')
        assert.deepEqual(operands, ['operand'], 'what follows is no value of it')
        return String(options[name])
      }
      assert.equal(value(flag), 'true')
      assert.equal(value(`${flag}=true`), 'true')
      assert.equal(value(`${flag}=false`), 'false')
      assert.equal(value(`${flag}=false`, flag), 'true')
      assert.equal(value(flag, `${flag}=false`), 'false')
    })
  }

  test('a flag goes before its variable, also to switch off', () => {
    const environment = { DOMAINPILOT_DRY_RUN: 'true' }
    assert.equal(settings(given('run').options, environment).dryRun, true)
    assert.equal(settings(given('run', '--dry-run=false').options, environment).dryRun, false)
  })

  test('another value is refused', async () => {
    let words = ''
    const io = {
      ...silentIo(),
      err: (text: string) => {
        words += text
      },
    }
    await assert.rejects(buildProgram(io, () => undefined).parseAsync(['run', '--dry-run=maybe'], { from: 'user' }))
    assert.match(words, /--dry-run: "maybe" is neither true nor false/)
  })

  test('after -- nothing is a flag', () => {
    assert.deepEqual(given('check', '--', '--fresh=true').operands, ['--fresh=true'])
  })
})

describe('flags-with-and-without-a-value', () => {
  test('a bare switch swallows nothing', () => {
    const { options, operands } = given('run', '--leader-elect', '--listen', '127.0.0.1:9000')
    assert.deepEqual(operands, [])
    assert.equal(settings(options, { DOMAINPILOT_SOURCE: 'kubernetes' }).leaderElect, true)
    assert.deepEqual(settings(options).listen, { host: '127.0.0.1', port: 9000 })
    const checked = given('check', '--check-served', 'shop.example.com')
    assert.deepEqual(checked.operands, ['shop.example.com'])
    assert.equal(settings(checked.options).checkServed, true)
  })

  test('a value of its own may stand apart, as it could before', () => {
    assert.equal(settings(given('run', '--check-served', 'false').options).checkServed, false)
    assert.equal(given('run', '--leader-elect', 'auto').options.leaderElect, 'auto')
  })

  /** No option takes this; those that take any text are left out. */
  const NEVER = 'no\u0000thing!'
  const refused = OPTION_LIST.filter((option) => {
    try {
      option.decode(NEVER, '')
      return option.choices !== undefined
    } catch {
      return true
    }
  })
  for (const command of programOf().commands) {
    const named = refused.filter(({ flag }) => command.helpInformation().includes(`[${variableOf(flag)}]`))
    for (const { flag } of named) {
      test(`${command.name()}: ${variableOf(flag)}, which its help names, counts`, async () => {
        const variable = variableOf(flag)
        const operands = command.registeredArguments.filter(({ required }) => required).map(() => 'a.example.com')
        const words = [command.name(), ...operands]
        const run = programOf({ [variable]: NEVER }).parseAsync(words, { from: 'user' })
        await assert.rejects(run, (error: Error) => error instanceof UsageError && error.message.includes(variable))
      })
    }
  }
})
