import { bytesToHex } from '@quoin/protocol'
import { type Abi, type Address, createWalletClient, type Hash, http, type PublicClient } from 'viem'
import { containerOf } from '../contracts/contract.mjs'
import { account } from '../e2e/harness.ts'
import { abi } from './counter-abi.ts'
import { chain } from './stage.ts'

export { abi }

const SOURCE = `
const read = () => quoin.load('uint256', 'total') ?? 0n
export default { functions: {
  count(events) {
    let total = read()
    for (let i = 0n; i < events; i++) quoin.emit('Counted', ++total)
    quoin.store('uint256', 'total', total)
  },
  total: read,
  above(number) {
    const total = read()
    if (total < number) quoin.revert('TooFew', total)
    return total - number
  },
} }`

/** A contract whose events are numbered from 1 without a gap. */
export interface Counter {
  readonly address: Address
  /** Emits so many events in one transaction. Resolves to its hash when it is final. */
  emit(events: number): Promise<Hash>
}

/** Deploys a counter. */
export async function counter({ direct, url }: { direct(): PublicClient; url(): string }): Promise<Counter> {
  const wallet = createWalletClient({ account: account(0), chain, transport: http(url()) })
  const final = async (hash: Hash) => direct().waitForTransactionReceipt({ hash })
  const bytecode = bytesToHex(containerOf(SOURCE, abi as Abi))
  const { contractAddress } = await final(await wallet.deployContract({ abi, bytecode, args: [] as never }))
  const address = contractAddress!
  return {
    address,
    async emit(events) {
      const hash = await wallet.writeContract({ address, abi, functionName: 'count', args: [BigInt(events)] })
      await final(hash)
      return hash
    },
  }
}
