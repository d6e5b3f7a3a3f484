import type { Address } from '@quoin/protocol'
import { CHAIN_CONTRACT } from './chain/chain-contract.ts'
import { CODE_REGISTRY } from './code-registry.ts'
import { CREATE2_DEPLOYER } from './create2-deployer.ts'
import { MULTICALL } from './multicall.ts'
import type { NativeContract } from './native.ts'

/** All native contracts. Genesis installs their code; `findNative` finds them by address. */
export const NATIVE_CONTRACTS: readonly NativeContract[] = [CHAIN_CONTRACT, CODE_REGISTRY, MULTICALL, CREATE2_DEPLOYER]

const byAddress: ReadonlyMap<Address, NativeContract> = new Map(NATIVE_CONTRACTS.map((native) => [native.address, native]))

/** The native contract at an address, if there is one. */
export const findNative = (address: Address): NativeContract | undefined => byAddress.get(address)
