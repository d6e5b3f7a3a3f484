import { rpcMethods } from '@quoin/node/rpc'
import { describe, expect, it } from 'vitest'
import { compiler, documentOf } from '../../../node/test/openrpc.ts'
import { describedParameters, expectAgreement } from '../../../node/test/parameters.ts'
import { devAccount, signer } from '../../test/dev-node.ts'
import { shareDevNode } from '../../test/shared-dev-node.ts'
import type { DevNode } from './index.ts'
import { devMethods } from './methods/index.ts'

const [alice, bob] = [devAccount(0).address, devAccount(1).address]

let node: DevNode
const { beginHere, request } = shareDevNode((_, started) => {
  node = started
})

/** The methods that a node does not have, or has otherwise. */
const own = Object.keys(devMethods).filter((name) => devMethods[name] !== (rpcMethods as typeof devMethods)[name])

const document = await documentOf(devMethods)
const compile = compiler(document)

describe('rpc.discover of a development chain', () => {
  it('has every method that does not always refuse', async () => {
    const answer = (await request('rpc.discover')) as typeof document
    expect(answer.methods).toEqual(document.methods)
    const refused = Object.keys(devMethods).filter((name) => devMethods[name]!.description === undefined)
    expect(answer.methods.map(({ name }) => name)).toEqual(Object.keys(devMethods).filter((name) => !refused.includes(name)))
    expect(refused).toContain('anvil_dumpState')
    expect(refused).not.toContain('anvil_mine')
  })

  it('describes the answers of its own methods', async () => {
    const described = new Map(document.methods.map(({ name }, i) => [name, compile(`methods/${i}/result/schema`)]))
    const called = new Set<string>()
    const ask = async (name: string, ...params: unknown[]): Promise<unknown> => {
      const validate = described.get(name)!
      const answer = await request(name, ...params)
      validate(answer)
      expect(validate.errors ?? [], `${name} ${JSON.stringify(answer)}`).toEqual([])
      called.add(name)
      return answer
    }
    const both = async (name: string, ...params: unknown[]) => {
      await ask(`anvil_${name}`, ...params)
      await ask(`hardhat_${name}`, ...params)
    }
    const typedData = {
      types: { EIP712Domain: [], Note: [{ name: 'text', type: 'string' }] },
      ...{ primaryType: 'Note', domain: {}, message: { text: 'hello' } },
    }
    for (const name of ['anvil_nodeInfo', 'rpc_modules', 'eth_accounts', 'eth_requestAccounts', 'rpc.discover']) await ask(name)
    await ask('eth_sign', alice, '0x01')
    await ask('personal_sign', '0x01', alice)
    await ask('eth_signTypedData_v4', alice, typedData)
    await ask('eth_signTypedData_v4', alice, JSON.stringify(typedData))
    await both('setBalance', bob, '0x64')
    await both('setNonce', bob, '0x7')
    await both('setCode', bob, '0x')
    await both('setStorageAt', bob, '0x01', '0x02')
    await ask('evm_setAccountBalance', bob, 100)
    await ask('evm_setAccountNonce', bob, 8)
    await ask('evm_setAccountCode', bob, '0x')
    await ask('evm_setAccountStorageAt', bob, '0x01', '0x')
    await both('impersonateAccount', bob)
    await ask('eth_sendTransaction', { from: bob, to: alice, value: '0x1' })
    await both('stopImpersonatingAccount', bob)
    await ask('anvil_autoImpersonateAccount', false)
    await ask('eth_sendUnsignedTransaction', { from: bob, to: alice, value: '0x1' })
    await ask('eth_call', { from: alice, to: bob })
    await ask('eth_estimateGas', { from: alice, to: bob })
    await ask('eth_fillTransaction', { from: alice, to: bob })
    await ask('evm_setAutomine', false)
    await both('getAutomine')
    const waiting = await signer(node.url, 0).sendTransaction({ to: bob, value: 1n })
    await both('dropTransaction', waiting)
    await ask('evm_setIntervalMining', 0)
    await ask('evm_mine')
    await both('mine', 2, '0x1')
    await ask('evm_increaseTime', 60)
    await ask('evm_setNextBlockTimestamp', 4_000_000_000)
    await ask('evm_mine', { blocks: 1 })
    await ask('evm_setTime', 4_000_000_100)
    await both('setBlockTimestampInterval', 5)
    await both('removeBlockTimestampInterval')
    const id = await ask('evm_snapshot')
    await ask('evm_revert', id)
    await ask('evm_revert', id)
    await both('reset')
    await beginHere()
    expect(own.filter((name) => described.has(name) && !called.has(name))).toEqual([])
  })
})

/** Refusals that no JSON schema can describe. */
const BEYOND = [/data and input, and they are not equal$/, /is not JSON/]

// Typed data is checked later, by the library that signs it.
const nodeReaders = new Set(describedParameters(rpcMethods as never).map(({ reader }) => reader))
const ownReaders = describedParameters(devMethods).filter(
  ({ reader, of }) => !nodeReaders.has(reader) && !of.endsWith('typedData'),
)

describe('the description of a parameter agrees with its reader', () => {
  it.each(ownReaders)('$of', (parameter) => expectAgreement(document, parameter, BEYOND))
})
