import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shellArgument, shellCommand } from './shell-argument.ts'

/** Texts with the characters that shells interpret. */
const hostile = fc.string({ unit: fc.constantFrom(...' \t\n\'"\\$`!*?[]{}()<>|&;#~%^=a-/é') })

it('leaves plain words as they are', () => {
  for (const word of ['--data-dir', '../my-dapp', '/ip4/10.0.0.1/tcp/26656', 'name=a,b', '@quoin/cli'])
    for (const platform of ['linux', 'win32'] as const) expect(shellArgument(word, platform)).toBe(word)
  expect(shellCommand(['cd', 'my dapp'], 'linux')).toBe("cd 'my dapp'")
  expect(shellArgument('')).not.toBe('')
})

describe('a quoted text', () => {
  it('is one argument of a POSIX shell', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 20 }), (texts) => {
        const command = `printf '%s\\0' ${shellCommand(texts, 'linux')}`
        expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(texts)
      }),
      { numRuns: 50 },
    )
  })

  it('is one argument of a Windows program', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1 }), (texts) => {
        expect(windowsArguments(shellCommand(texts, 'win32'))).toEqual(texts)
      }),
    )
  })
})

/** The rules of Microsoft's C runtime ("Parsing C command-line arguments"), by which Node.js on Windows reads its command line. */
function windowsArguments(line: string): readonly string[] {
  const found: string[] = []
  let current: string | undefined
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    let slashes = 0
    while (line[at + slashes] === '\\') slashes++
    if (line[at + slashes] === '"') {
      current = (current ?? '') + '\\'.repeat(Math.floor(slashes / 2))
      if (slashes % 2 === 1) current += '"'
      else isQuoted = !isQuoted
      at += slashes
    } else if (slashes > 0) {
      current = (current ?? '') + '\\'.repeat(slashes)
      at += slashes - 1
    } else if (!isQuoted && /[ \t]/.test(line[at]!)) {
      if (current !== undefined) found.push(current)
      current = undefined
    } else current = (current ?? '') + line[at]!
  }
  return current === undefined ? found : [...found, current]
}
