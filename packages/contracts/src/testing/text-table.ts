/** Formats rows below a heading, in columns. The first `left` columns are aligned to the left, the others to the right. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const widths = heading.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (i < left ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [line(heading), rule, ...rows.map(line)].join('\n')
}
