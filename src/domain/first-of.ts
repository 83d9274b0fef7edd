/** What the first rule says that says anything about what is asked; undefined when none does. */
export function firstOf<Asked extends readonly unknown[], Said>(
  rules: readonly ((...asked: Asked) => Said | undefined)[],
  ...asked: Asked
): Said | undefined {
  for (const rule of rules) {
    const said = rule(...asked)
    if (said !== undefined) return said
  }
  return undefined
}
