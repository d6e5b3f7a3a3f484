import { Address, concatBytes, type Hash, hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import { encodeRlp, integerPayload } from './rlp.ts'

/** Address of the contract that an account creates with this nonce, as for Ethereum's CREATE (yellow paper, equation 86). */
export const contractAddress = (crypto: Crypto, creator: Address, nonce: number): Address =>
  Address(crypto.keccak256(encodeRlp([hexToBytes(creator), integerPayload(nonce)])).subarray(12))

/**
 * Address of the contract that an account creates with a salt, as for Ethereum's CREATE2 (EIP-1014).
 *
 * @param salt 32 bytes
 * @param initCodeHash keccak256 of the container with the constructor's arguments after it
 */
export const saltedContractAddress = (crypto: Crypto, creator: Address, salt: Uint8Array, initCodeHash: Uint8Array): Address =>
  Address(crypto.keccak256(concatBytes(Uint8Array.of(0xff), hexToBytes(creator), salt, initCodeHash)).subarray(12))

/** First byte of the text that stands for a clone's init code. No container begins with it, whatever the code's hash is. */
const CLONE = Uint8Array.of(0)

/**
 * What stands for the hash of the init code when a contract is created as a clone: keccak256 of a zero byte, the code's hash and
 * the arguments. The zero byte keeps a clone from ever having the address of a contract that `create2` makes from a container.
 */
export const cloneInitCodeHash = (crypto: Crypto, codeHash: Hash, constructorArguments: Uint8Array): Uint8Array =>
  crypto.keccak256(concatBytes(CLONE, hexToBytes(codeHash), constructorArguments))
