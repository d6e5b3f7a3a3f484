import { SYSTEM_ADDRESS } from '@quoin/execution'
import {
  bytesToHex,
  type Crypto,
  type Genesis,
  type Height,
  hexToBytes,
  readyDigest,
  type SigningDomain,
  type Validator,
} from '@quoin/protocol'
import { encodeFunctionData, parseAbi } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { type TestValidators, testAccounts, testGenesis } from './chain.ts'

/** The functions of the chain contract that these tests call, as a client would write them. */
const CHAIN_ABI = parseAbi([
  'function setNode(string peerId, string kind, bytes32 organisation, string[] addresses)',
  'function addValidator(bytes32 id, bytes32 organisation, bytes publicKey, uint64 power, address feeAddress, string[] peerIds)',
  'function ready(bytes32 id, uint64 height, bytes signature)',
  'function setPower(bytes32 id, uint64 power)',
  'function setParameter(string name, uint256 value)',
  'function setNodeAddresses(string peerId, string[] addresses)',
])

/** Account that governs the chains of `governedGenesis`. */
export const governor = testAccounts[0]!

/** A genesis whose chain the first test account governs. */
export function governedGenesis(crypto: Crypto, { set }: TestValidators): Genesis {
  const genesis = testGenesis(crypto, set)
  return { ...genesis, consortium: { ...genesis.consortium, governor: governor.address.toLowerCase() as `0x${string}` as never } }
}

/** A signed call of the chain contract. It goes by the lane, so its gas price is nothing. */
export async function chainCall(
  nonce: number,
  functionName: string,
  args: readonly unknown[],
  account: PrivateKeyAccount = governor,
): Promise<Uint8Array> {
  const data = encodeFunctionData({ abi: CHAIN_ABI, functionName, args } as never)
  return hexToBytes(
    await account.signTransaction({
      type: 'legacy',
      chainId: 31_337,
      nonce,
      to: SYSTEM_ADDRESS,
      gas: 1_000_000n,
      gasPrice: 0n,
      data,
    }),
  )
}

/** The governor's first calls, which add a validator of an organisation that is there: for block 1. */
export const addedValidator = (validator: Validator, organisation: Validator['id']): Promise<readonly Uint8Array[]> =>
  Promise.all([
    chainCall(0, 'setNode', ['added', 'validator', organisation, ['/ip4/10.0.0.5/tcp/26656']]),
    chainCall(1, 'addValidator', [
      validator.id,
      organisation,
      bytesToHex(validator.publicKey),
      BigInt(validator.power),
      validator.feeAddress,
      ['added'],
    ]),
  ])

/** The governor's next call, which shows that the key is in use: for a block after `height`. */
export function provenReady(
  crypto: Crypto,
  domain: SigningDomain,
  { id }: Validator,
  secretKey: Uint8Array,
  height: Height,
): Promise<Uint8Array> {
  const { signature } = crypto.sign(readyDigest(crypto, domain, id, height), secretKey)
  return chainCall(2, 'ready', [id, BigInt(height), bytesToHex(signature)])
}
