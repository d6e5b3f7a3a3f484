/** Characters that no shell interprets, wherever they stand in an argument. zsh replaces a word that begins with `=`. */
const PLAIN = /^(?!=)[\w@+=:,./-]+$/

/** Quotes a text so that it is one argument of a command that a user copies into the terminal of a POSIX shell or zsh. */
export const shellArgument = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** A command line for a terminal, of words that are quoted where it is necessary. */
export const shellCommand = (words: readonly string[]): string => words.map(shellArgument).join(' ')

/** A command that changes to a directory. A name with a leading `-` would be an option, and `-` alone the last directory, also behind `--`. */
export const cdCommand = (directory: string): string =>
  shellCommand(['cd', directory.startsWith('-') ? `./${directory}` : directory])
