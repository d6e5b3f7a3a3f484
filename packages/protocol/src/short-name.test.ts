import fc from 'fast-check'
import { stringToHex } from 'viem'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import type { Hash } from './bytes.ts'
import { idOfName, idProblem, nameOfId } from './short-name.ts'

describe('the id of a name', () => {
  it('is the name as bytes32, as viem writes it, and gives the name back', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/), (name) => {
        expect(idOfName(name)).toBe(stringToHex(name, { size: 32 }))
        expect(nameOfId(idOfName(name)!)).toBe(name)
      }),
    )
  })

  it.each(['', '-a', 'a-', 'A', 'a b', 'é', 'a'.repeat(32), 'a\0'])('does not exist for %j', (name) => {
    expect(idOfName(name)).toBeUndefined()
  })

  it('is the only bytes that have a name', () => {
    fc.assert(
      fc.property(any.hash, (bytes) => {
        expect(nameOfId(bytes)).toBeUndefined()
        expect(idProblem(bytes)).toContain('is not the id of a name')
      }),
    )
    expect(nameOfId(`0x61${'00'.repeat(30)}62` as Hash)).toBeUndefined()
    expect(nameOfId(`0x${'00'.repeat(32)}` as Hash)).toBeUndefined()
  })
})
