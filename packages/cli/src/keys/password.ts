import { createReadStream } from 'node:fs'
import type { ReadStream } from 'node:tty'
import { KEYSTORE_LIMITS, readPasswordFile } from '@quoin/node/keys'
import { CommandError, orFail } from '@quoin/node/process'

/** Where the password of a key file comes from. Without either it is asked for. */
export interface PasswordOptions {
  readonly passwordFile?: string
  /** A file descriptor that the caller has opened, such as 3 for `3< <(pass show quoin)`. */
  readonly passwordFd?: number
}

/** The terminal, as the prompt needs it. */
export interface Terminal {
  readonly input: Pick<ReadStream, 'isTTY' | 'setRawMode' | 'resume' | 'pause' | 'on' | 'off'>
  readonly write: (text: string) => void
}

const system = (): Terminal => ({ input: process.stdin, write: (text) => void process.stderr.write(text) })

const { passwordBytesMax } = KEYSTORE_LIMITS

/**
 * Reads a password from a file, from a file descriptor, or from the terminal, where it is not shown.
 *
 * @param question what the prompt asks
 * @throws CommandError when there is no terminal, the file may be read by others, or the user gives up
 */
export async function readPassword(
  { passwordFile, passwordFd }: PasswordOptions,
  question: string,
  terminal: () => Terminal = system,
): Promise<string> {
  if (passwordFile !== undefined && passwordFd !== undefined)
    throw new CommandError('--password-file and --password-fd exclude each other: give one of them')
  if (passwordFile !== undefined) return orFail(await readPasswordFile(passwordFile), '--password-file')
  if (passwordFd !== undefined) return readDescriptor(passwordFd)
  const { input, write } = terminal()
  if (!input.isTTY)
    throw new CommandError(
      'the key file needs a password, and there is no terminal to ask for it: add --password-file or --password-fd',
    )
  return prompt({ input, write }, question)
}

async function readDescriptor(fd: number): Promise<string> {
  let text = ''
  for await (const chunk of createReadStream('', { fd, encoding: 'utf8', autoClose: false }) as AsyncIterable<string>) {
    text += chunk
    if (text.length > passwordBytesMax)
      throw new CommandError(`--password-fd: the password is longer than ${passwordBytesMax} bytes`)
  }
  return text.replace(/\r?\n$/, '')
}

const CONTROL_C = '\u0003'
const CONTROL_D = '\u0004'
const ERASE = new Set(['\u007f', '\b'])

/** Reads one line without an echo: the terminal is in raw mode meanwhile. */
function prompt({ input, write }: Terminal, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const end = (settle: () => void): void => {
      input.off('data', onData)
      input.setRawMode(false)
      input.pause()
      write('\n')
      settle()
    }
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n') return end(() => resolve(typed.join('')))
        if (character === CONTROL_C || character === CONTROL_D)
          return end(() => reject(new CommandError('given up: no password')))
        if (ERASE.has(character)) typed.pop()
        else if (typed.length < passwordBytesMax) typed = [...typed, character]
      }
    }
    write(`${question}: `)
    input.setRawMode(true)
    input.on('data', onData)
    input.resume()
  })
}

/** Asks for a new password, twice where it is typed. */
export async function readNewPassword(options: PasswordOptions, terminal?: () => Terminal): Promise<string> {
  const password = await readPassword(options, 'Password for the new key file', terminal)
  if (password === '') throw new CommandError('an empty password protects nothing: choose another one')
  const isTyped = options.passwordFile === undefined && options.passwordFd === undefined
  if (isTyped && (await readPassword(options, 'The same password again', terminal)) !== password)
    throw new CommandError('the two passwords differ: nothing was written')
  return password
}
