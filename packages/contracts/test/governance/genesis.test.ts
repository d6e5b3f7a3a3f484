import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '@quoin/execution/contract'
import { Address, nobleCrypto as crypto, hexToBytes, ownSeat, ROLES, ungovernedConsortium } from '@quoin/protocol'
import { type Abi, encodeDeployData, getAddress, type Hex, keccak256 } from 'viem'
import { expect, it } from 'vitest'
import { testAccounts } from '../../src/testing/accounts.ts'
import { Chain } from '../../src/testing/chain.ts'
import { ChainCore } from '../../src/testing/core.ts'
import { testGenesis, testValidator } from '../../src/testing/genesis.ts'
import { Ledger } from '../../src/testing/ledger.ts'
import { CHAIN, chainCall, encodeCall, LANE_GAS, nameRole, preset, rulesTuple, Stage } from './stage.ts'

const GOVERNOR = getAddress(`0x${'90'.repeat(20)}`)

it('genesis places the governor at a fixed address, with its rules, and its proposals govern from the first block on', async () => {
  const contract = await preset()
  const accounts = testAccounts(crypto, 2)
  const [founder, outsider] = accounts.map(({ address }) => address) as [Hex, Hex]
  const code = hexToBytes(
    encodeDeployData({ abi: contract.abi as Abi, bytecode: contract.bytecode, args: rulesTuple() } as never) as Hex,
  )
  const ledger = await Ledger.create((version) => {
    const consortium = ungovernedConsortium([ownSeat(testValidator(crypto))])
    const voter = {
      address: Address(founder.toLowerCase()),
      organisation: testValidator(crypto).id,
      roles: ROLES.voter,
      expiry: 0,
    }
    return {
      ...testGenesis(crypto, version, 1_767_225_600_000, [], 0n),
      systemContracts: [{ address: Address(GOVERNOR.toLowerCase()), code }],
      consortium: { ...consortium, accounts: [voter], governor: Address(GOVERNOR.toLowerCase()) },
    }
  })
  const chain = new Chain<readonly Hex[]>(new ChainCore(ledger, false), accounts)
  const stage = Stage.at(chain, GOVERNOR, contract, { test: [founder] }, outsider)
  try {
    expect(await stage.read('rules')).toEqual(rulesTuple())
    expect(await stage.tells('governor')).toBe(GOVERNOR)
    const described = await chain.call({
      to: CODE_REGISTRY_ADDRESS as Hex,
      data: encodeCall(CODE_REGISTRY_ABI as Abi, 'describe', [GOVERNOR]),
    })
    expect(described.slice(2)).toContain(CHAIN.slice(2).toLowerCase())
    expect((await stage.read('ballot', [await stage.propose([nameRole('x')], { by: founder })]))[4]).toBe(1n)
    await stage.decide([nameRole('teller'), stage.own('setRules', ...rulesTuple({ quorum: 1 }))])
    expect([await stage.tells('roleName', 16), (await stage.read('rules'))[0]]).toEqual(['teller', 1])
    // Its code is replaced by approval, because the chain contract is its authority.
    await stage.decide([chainCall('approveCode', GOVERNOR, keccak256(contract.bytecode), keccak256('0x'), 100_000)])
    const { data } = chainCall('applyCode', GOVERNOR, contract.bytecode, '0x')
    await chain.send({ from: founder, to: CHAIN, data, gas: LANE_GAS })
    await stage.decide([nameRole('clerk')])
    expect(await stage.tells('roleName', 16)).toBe('clerk')
  } finally {
    await stage.close()
  }
})
