import { readFileSync } from 'node:fs'
import { type Abi, formatAbi, nobleCrypto, parseAbi, unwrap } from '@quoin/protocol'
import { parseAbi as viemAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, frameOf, hostInterpreter } from '../../test/guest.ts'
import { checksumText } from './abi/address.ts'
import { CONTRACT_HANDLERS, CONTRACT_HOST } from './host/index.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './native/code-registry.ts'
import { MULTICALL_ABI, MULTICALL_ADDRESS } from './native/multicall.ts'

const documentation = readFileSync(new URL('../../../../docs/contracts.md', import.meta.url), 'utf8')

describe('docs/contracts.md', () => {
  it('describes every member of quoin', () => {
    const described = new Set([...documentation.matchAll(/`([A-Za-z0-9]+)(?:`|\()/g)].map(([, name]) => name))
    for (const { name } of CONTRACT_HOST) expect(described, name).toContain(name)
  })

  it('has the native contract and the limits as in the sources', () => {
    const section = documentation.split(/^## /m).find((text) => text.startsWith('Upgrading'))!
    const lines = [...section.matchAll(/^ {2}'((?:function|event) [^']+)',$/gm)].map(([, line]) => line!)
    const sorted = (abi: Abi) => abi.map((item) => formatAbi([item])).toSorted()
    expect(sorted(unwrap(parseAbi(viemAbi(lines))))).toEqual(sorted(CODE_REGISTRY_ABI))
    expect(documentation).toContain(`\`${CODE_REGISTRY_ADDRESS}\``)
    expect(documentation).toContain(`\`${checksumText(nobleCrypto, MULTICALL_ADDRESS)}\``)
    const payable = MULTICALL_ABI.flatMap((item) => (item.type === 'function' && item.stateMutability === 'payable' ? item : []))
    for (const { name } of payable) expect(documentation).toContain(`\`${name}\``)
    const { evaluationGasMax, callDepthMax, gasKept, aggregatedCallsMax } = MESSAGE_LIMITS
    const grouped = (count: number) => String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
    for (const text of [
      `${grouped(evaluationGasMax)} gas`,
      `nest at most ${callDepthMax} deep`,
      `1/${gasKept} of its gas`,
      `at most ${grouped(aggregatedCallsMax)} calls`,
    ])
      expect(documentation).toContain(text)
  })

  it('has a token that works', () => {
    const [, source = ''] = /```js\n([\s\S]*?export default[\s\S]*?)```/.exec(documentation)!
    const { image } = unwrap(hostInterpreter().compile({ source, gas: 10_000_000 }))
    const abi = abiOf(
      'event Transfer(address indexed from, address indexed to, uint256 value)',
      'event Approval(address indexed owner, address indexed spender, uint256 value)',
      'error InsufficientBalance(uint256 have, uint256 need)',
      'error InsufficientAllowance(uint256 have, uint256 need)',
    )
    const frame = frameOf({ abi })
    const call = (entry: string, ...values: readonly (string | bigint)[]) => {
      const outcome = hostInterpreter().call({ image, entry, values, handlers: CONTRACT_HANDLERS, scope: frame, gas: 10_000_000 })
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
