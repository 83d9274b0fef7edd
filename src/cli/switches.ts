import { Command, Option } from 'commander'

/** A command that takes each of its switches as `--x`, `--x=true` and `--x=false`, as other tools of its users do. */
export class SwitchCommand extends Command {
  override createCommand(name?: string): SwitchCommand {
    return new SwitchCommand(name)
  }

  override addOption(option: Option): this {
    super.addOption(option)
    return option.isBoolean() ? super.addOption(opposite(option)) : this
  }

  override parseOptions(words: string[]): ReturnType<Command['parseOptions']> {
    const end = words.indexOf('--')
    const flags = end < 0 ? words : words.slice(0, end)
    const spelled = flags.flatMap((word, index) => this.#spell(word, flags[index + 1]))
    return super.parseOptions([...spelled, ...words.slice(flags.length)])
  }

  /** A word of the command line as commander takes it; `next`: the one behind it. */
  #spell(word: string, next: string | undefined): string {
    const [, flag, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? []
    const option = this.options.find(({ long }) => long === flag)
    if (flag === undefined || option === undefined) return word
    if (option.isBoolean()) return value === undefined ? word : this.#boolean(option, value)
    const choices = option.argChoices ?? []
    // A switch with further values than two: alone, it is on.
    return value === undefined && choices.includes('true') && !choices.includes(next ?? '') ? `${flag}=true` : word
  }

  #boolean(option: Option, value: string): string {
    if (value === 'true' || value === '1') return `--${option.name()}`
    if (value === 'false' || value === '0') return `--no-${option.name()}`
    return this.error(`error: --${option.name()}: "${value}" is neither true nor false`)
  }
}

const opposite = (option: Option): Option => new Option(`--no-${option.name()}`).hideHelp()
