import { EventEmitter } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNewPassword, readPassword, type Terminal } from './password.ts'

/** A terminal at which somebody types. */
class TypedTerminal extends EventEmitter {
  readonly isTTY = true
  readonly modes: boolean[] = []
  shown = ''
  setRawMode(mode: boolean): this {
    this.modes.push(mode)
    return this
  }
  resume = (): this => this
  pause = (): this => this
  type(text: string): void {
    this.emit('data', Buffer.from(text))
  }
  get terminal(): () => Terminal {
    return () => ({ input: this as never, write: (text) => void (this.shown += text) })
  }
}

describe('a password at the terminal', () => {
  it('is read without an echo, and the terminal is as before', async () => {
    const typed = new TypedTerminal()
    const password = readPassword({}, 'Password', typed.terminal)
    for (const piece of ['gehx', '\u007f', 'ei', 'm ü', '\r']) typed.type(piece)
    expect(await password).toBe('geheim ü')
    expect(typed.shown).toBe('Password: \n')
    expect(typed.modes).toEqual([true, false])
    expect(typed.listenerCount('data')).toBe(0)
  })

  it('can be given up', async () => {
    const typed = new TypedTerminal()
    const password = readPassword({}, 'Password', typed.terminal)
    typed.type('ab\u0003')
    await expect(password).rejects.toThrow('no password')
    expect(typed.modes.at(-1)).toBe(false)
  })

  it('is typed twice for a new file, and must be the same', async () => {
    for (const [second, matches] of [
      ['same', true],
      ['other', false],
    ] as const) {
      const typed = new TypedTerminal()
      typed.on('newListener', (event) => {
        if (event === 'data') setImmediate(() => typed.type(`${typed.modes.length === 1 ? 'same' : second}\n`))
      })
      const password = readNewPassword({}, typed.terminal)
      if (matches) expect(await password).toBe('same')
      else await expect(password).rejects.toThrow('the two passwords differ')
    }
  })
})

describe('a password without a terminal', () => {
  const none = (): Terminal => ({ input: { isTTY: false } as never, write: () => {} })

  it('comes from a file or a descriptor, and one of them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quoin-password-'))
    const path = join(directory, 'password')
    try {
      await writeFile(path, 'with space \n', { mode: 0o600 })
      expect(await readPassword({ passwordFile: path }, '', none)).toBe('with space ')
      const file = await open(path)
      expect(await readPassword({ passwordFd: file.fd }, '', none)).toBe('with space ')
      await file.close()
      await expect(readPassword({ passwordFile: path, passwordFd: 3 }, '', none)).rejects.toThrow('exclude each other')
      await expect(readPassword({}, '', none)).rejects.toThrow('--password-file')
      await writeFile(path, '\n')
      await expect(readNewPassword({ passwordFile: path }, none)).rejects.toThrow('empty password')
      await writeFile(path, 'x'.repeat(5_000))
      const long = await open(path)
      await expect(readPassword({ passwordFd: long.fd }, '', none)).rejects.toThrow('longer than')
      await long.close()
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
