import { readFileSync } from 'node:fs'
import { unwrap } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { abiOf, frameOf, hostEngine } from '../../test/guest.ts'
import { CONTRACT_HANDLERS, CONTRACT_HOST } from './host/index.ts'

const documentation = readFileSync(new URL('../../../../docs/contracts.md', import.meta.url), 'utf8')

describe('docs/contracts.md', () => {
  it('describes every member of quoin', () => {
    const described = new Set([...documentation.matchAll(/`([A-Za-z0-9]+)(?:`|\()/g)].map(([, name]) => name))
    for (const { name } of CONTRACT_HOST) expect(described, name).toContain(name)
  })

  it('has a token that works', () => {
    const [, source = ''] = /```js\n([\s\S]*?export default[\s\S]*?)```/.exec(documentation)!
    const { image } = unwrap(hostEngine().compile({ source, gas: 10_000_000 }))
    const abi = abiOf(
      'event Transfer(address indexed from, address indexed to, uint256 value)',
      'event Approval(address indexed owner, address indexed spender, uint256 value)',
      'error InsufficientBalance(uint256 have, uint256 need)',
      'error InsufficientAllowance(uint256 have, uint256 need)',
    )
    const frame = frameOf({ abi })
    const call = (entry: string, ...values: readonly (string | bigint)[]) => {
      const outcome = hostEngine().call({ image, entry, values, handlers: CONTRACT_HANDLERS, scope: frame, gas: 10_000_000 })
      return outcome.kind === 'return' ? outcome.value : outcome.kind === 'throw' ? outcome.error.message : outcome.kind
    }
    const [holder, other] = [frame.sender, `0x${'0b'.repeat(20)}`]
    call('constructor', 'Token', 100n)
    expect(call('functions.transfer', other, 30n)).toBe(true)
    expect(call('functions.transfer', other, 71n)).toBe('InsufficientBalance(70, 71)')
    expect(call('functions.approve', holder, 5n)).toBe(true)
    expect([call('functions.name'), call('functions.totalSupply')]).toEqual(['Token', 100n])
    expect(call('functions.transferFrom', holder, other, 6n)).toMatch(/^InsufficientAllowance/)
    expect(frame.journal.transactionLogs).toBe(2)
  })
})
