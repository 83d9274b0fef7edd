import { type Command, InvalidArgumentError, type Option } from 'commander'

export type Shell = 'bash' | 'zsh' | 'fish'

/** Checks the argument of `completion`. */
export function parseShell(value: string): Shell {
  if (value === 'bash' || value === 'zsh' || value === 'fish') return value
  throw new InvalidArgumentError('It is one of bash, zsh, fish.')
}

/** A completion script made from the commands themselves: subcommands, and the flags of each. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.filter((each) => each.name() !== 'help')
  if (program.name().startsWith('kubectl ')) return kubectlScript(commands)
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program.name(), commands)
}

const shownOptions = (command: Command): Option[] => command.options.filter(({ hidden }) => !hidden)

const flagsOf = (command: Command): string[] => shownOptions(command).flatMap((option) => option.long ?? [])

/** The flags of each command, as branches of a `case`. */
const wordCases = (commands: readonly Command[]): string =>
  commands.map((each) => `    ${each.name()}) words='${flagsOf(each).join(' ')}' ;;`).join('\n')

function bashScript(name: string, commands: readonly Command[]): string {
  return `# source <(${name} completion bash)
_${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words='${commands.map((each) => each.name()).join(' ')}'
  [ "$COMP_CWORD" -gt 1 ] && case "\${COMP_WORDS[1]}" in
${wordCases(commands)}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) [ "$COMP_CWORD" -eq 1 ] && COMPREPLY=($(compgen -W "$words" -- "$word")) || COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _${name} ${name}
`
}

function zshScript(name: string, commands: readonly Command[]): string {
  const list = commands.map((each) => `    '${each.name()}:${quote(each.summary() || each.description())}'`).join('\n')
  const cases = commands
    .map((each) => `    ${each.name()}) compadd -- ${flagsOf(each).join(' ')}; _files ;;`)
    .join('\n')
  return `#compdef ${name}
# ${name} completion zsh > "\${fpath[1]}/_${name}"
_${name}() {
  local -a commands=(
${list}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[2]" in
${cases}
  esac
}
compdef _${name} ${name}
`
}

function fishScript(name: string, commands: readonly Command[]): string {
  const lines = commands.flatMap((each) => [
    `complete -c ${name} -n __fish_use_subcommand -f -a ${each.name()} -d '${quote(each.summary() || each.description())}'`,
    ...shownOptions(each).flatMap(({ long, description }) =>
      long
        ? `complete -c ${name} -n '__fish_seen_subcommand_from ${each.name()}' -l ${long.slice(2)} -d '${quote(description)}'`
        : [],
    ),
  ])
  return `# ${name} completion fish > ~/.config/fish/completions/${name}.fish\n${lines.join('\n')}\n`
}

/** kubectl completes for every shell, and asks an executable of this name for what a plugin takes. `:4`: no names of files. */
function kubectlScript(commands: readonly Command[]): string {
  return `#!/bin/sh
# kubectl domainpilot completion bash > kubectl_complete-domainpilot; make it executable, put it on the PATH
words='${commands.map((each) => each.name()).join(' ')}'
if [ "$#" -gt 1 ]; then
  case "$1" in
${wordCases(commands)}
    *) words='' ;;
  esac
fi
for last in "$@"; do :; done
for word in $words; do
  case "$word" in "$last"*) echo "$word" ;; esac
done
echo :4
`
}

const quote = (text: string): string => text.replaceAll("'", '’').replaceAll(':', ' -')
