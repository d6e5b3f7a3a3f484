import { Address, hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import { encodeRlp, integerPayload } from './rlp.ts'

/** Address of the contract that an account creates with this nonce, as for Ethereum's CREATE (yellow paper, equation 86). */
export const contractAddress = (crypto: Crypto, creator: Address, nonce: number): Address =>
  Address(crypto.keccak256(encodeRlp([hexToBytes(creator), integerPayload(nonce)])).subarray(12))
