import { ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { HaltError } from '../engine/halt.ts'
import { CorruptFileError } from '../engine/record-file.ts'
import { EXIT_CODE, exitCodeOf } from '../validator/exit-code.ts'
import { CommandError } from '../validator/failure.ts'
import { EndingError, endingOf } from './ending.ts'

const system = (code: string, message = code): Error => Object.assign(new Error(message), { code })
const halt = new HaltError('a fork', { certificate: {} as never, block: undefined, head: ZERO_HASH, transaction: undefined })

describe('the classification of errors', () => {
  it.each([
    [halt, 'halted', 76],
    [new Error('the loop failed', { cause: halt }), 'halted', 76],
    [new CorruptFileError('torn'), 'untrusted-files', 65],
    [system('ENOSPC'), 'disk-full', 73],
    [system('EDQUOT'), 'disk-full', 73],
    [system('EFBIG'), 'disk-full', 73],
    [system('LEVEL_IO_ERROR', 'IO error: /db/000003.log: No space left on device'), 'disk-full', 73],
    [new Error('commit', { cause: system('ENOSPC') }), 'disk-full', 73],
    [system('EIO'), 'storage', 74],
    [system('LEVEL_CORRUPTION'), 'storage', 74],
    [new TypeError('x is not a function'), 'failed', 70],
    ['thrown text', 'failed', 70],
    [new AggregateError([system('ENOSPC'), system('ENOSPC')], '2 resources failed to close'), 'disk-full', 73],
    [new Error('stop', { cause: new AggregateError([new Error('a'), new Error('b', { cause: halt })]) }), 'halted', 76],
    [new AggregateError(['thrown text', new TypeError('x is not a function')], 'two'), 'failed', 70],
  ] as const)('%s: %s', (error, code, exitCode) => {
    expect(endingOf(error).code).toBe(code)
    expect(endingOf(error).message).not.toBe('')
    expect(EXIT_CODE[code]).toBe(exitCode)
    expect(exitCodeOf(error)).toBe(exitCode)
  })

  it('follows causes, up to a limit', () => {
    const circle = new Error('a')
    circle.cause = circle
    expect(endingOf(circle).code).toBe('failed')
    const many = new AggregateError(
      Array.from({ length: 10_000 }, (_, i) => new Error(`part ${i}`)),
      'all',
    )
    many.errors[0].cause = many
    expect(endingOf(many).code).toBe('failed')
    expect(endingOf(many).message.length).toBeLessThan(1_000)
  })
})

it('errors that a person must fix end with the exit code `usage`', () => {
  for (const failure of [new CommandError('no such flag'), system('EADDRINUSE'), system('ENOENT'), system('EACCES')])
    expect(exitCodeOf(failure)).toBe(EXIT_CODE.usage)
  expect(exitCodeOf(new EndingError({ code: 'disk-full', message: 'full' }))).toBe(73)
  expect(exitCodeOf(system('LEVEL_DATABASE_NOT_OPEN'))).toBe(65)
})

it('exit codes are distinct, and none is used by the shell or Node.js', () => {
  const codes = Object.values(EXIT_CODE)
  expect(new Set(codes).size).toBe(codes.length)
  for (const code of codes) expect(code <= 1 || (code >= 64 && code < 126)).toBe(true)
})
