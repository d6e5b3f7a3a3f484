import { readFileSync } from 'node:fs'
import { type Abi, formatAbi, parseAbi, unwrap } from '@quoin/protocol'
import { parseAbi as viemAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, frameOf, hostEngine } from '../../test/guest.ts'
import { CONTRACT_HANDLERS, CONTRACT_HOST } from './host/index.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { NATIVE_ABI, NATIVE_ADDRESS } from './native.ts'

const documentation = readFileSync(new URL('../../../../docs/contracts.md', import.meta.url), 'utf8')

describe('docs/contracts.md', () => {
  it('describes every member of quoin', () => {
    const described = new Set([...documentation.matchAll(/`([A-Za-z0-9]+)(?:`|\()/g)].map(([, name]) => name))
    for (const { name } of CONTRACT_HOST) expect(described, name).toContain(name)
  })

  it('has the native contract as it is, and limits as they are', () => {
    const lines = [...documentation.matchAll(/^ {2}'((?:function|event) [^']+)',$/gm)].map(([, line]) => line!)
    const sorted = (abi: Abi) => abi.map((item) => formatAbi([item])).toSorted()
    expect(sorted(unwrap(parseAbi(viemAbi(lines))))).toEqual(sorted(NATIVE_ABI))
    expect(documentation).toContain(`\`${NATIVE_ADDRESS}\``)
    const { evaluationGasMax, callDepthMax, gasKept } = MESSAGE_LIMITS
    const thousands = String(evaluationGasMax).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
    for (const text of [`${thousands} gas`, `nest at most ${callDepthMax} deep`, `1/${gasKept} of its gas`])
      expect(documentation).toContain(text)
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
