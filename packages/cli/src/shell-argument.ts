/** Characters that no shell interprets, wherever they stand in an argument. */
const PLAIN = /^[\w@+=:,./-]+$/

/**
 * Quotes a text so that it is one argument of a command that a user copies into a terminal.
 *
 * @param platform - Windows: quoted for cmd.exe and the rules by which a program splits its command line. It cannot protect `%NAME%`, which
 *   cmd.exe replaces in quotes too. Any other: for POSIX shells, where every text is protected.
 */
export function shellArgument(text: string, platform: NodeJS.Platform = process.platform): string {
  if (PLAIN.test(text)) return text
  if (platform !== 'win32') return `'${text.replaceAll("'", "'\\''")}'`
  // A backslash counts as one only if it does not stand before a quote.
  return `"${text.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`
}

/** A command line for a terminal, of words that are quoted where it is necessary. */
export const shellCommand = (words: readonly string[], platform?: NodeJS.Platform): string =>
  words.map((word) => shellArgument(word, platform)).join(' ')
