import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cdCommand, shellArgument, shellCommand } from './shell-argument.ts'

/** Texts with the characters that shells interpret. */
const hostile = fc.string({ unit: fc.constantFrom(...' \t\n\'"\\$`!*?[]{}()<>|&;#~%^=a-/é') })

it('leaves plain words as they are', () => {
  for (const word of ['--data-dir', '../my-dapp', '/ip4/10.0.0.1/tcp/26656', 'name=a,b', '@quoin/cli'])
    expect(shellArgument(word)).toBe(word)
  expect(shellArgument('')).not.toBe('')
})

it('quotes a word that zsh would replace', () => {
  // zsh is seldom installed where tests run. Its manual, "= expansion": an unquoted word `=name` becomes the path of the command.
  expect(shellCommand(['echo', '=ls', '--a=ls'])).toBe("echo '=ls' --a=ls")
})

it('changes to any directory', () => {
  const parent = mkdtempSync(join(tmpdir(), 'quoin-shell-'))
  try {
    expect(cdCommand('my dapp')).toBe("cd 'my dapp'")
    for (const name of ['my dapp', '-x', '-', '--', "it's"]) {
      mkdirSync(join(parent, name))
      const command = `${cdCommand(name)} && pwd -P`
      const where = execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', cwd: parent })
      expect(where).toBe(`${join(realpathSync(parent), name)}\n`)
    }
  } finally {
    rmSync(parent, { recursive: true })
  }
})

describe('a quoted text', () => {
  it('is one argument of a POSIX shell', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 20 }), (texts) => {
        const command = `printf '%s\\0' ${shellCommand(texts)}`
        expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(texts)
      }),
      { numRuns: 50 },
    )
  })
})
