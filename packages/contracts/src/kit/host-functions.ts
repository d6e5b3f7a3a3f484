import type { Guest } from './guest.ts'
import type { Address } from './value-types.ts'

declare const quoin: Guest

/** The address that a text means, with its checksum. Throws when it is none; text in mixed case must have the right checksum. */
export const address = (text: string): Address => quoin.formatAddress(quoin.parseAddress(text))

/** The account that nobody has: what an address that was never set reads as. */
export const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000' as Address

/** 32 bytes. */
export const keccak256: Guest['keccak256'] = (data) => quoin.keccak256(data)

/** 32 bytes. */
export const sha256: Guest['sha256'] = (data) => quoin.sha256(data)

/** Who signed a digest, as the precompile of the EVM; undefined where nobody did. */
export const ecrecover: Guest['ecrecover'] = (digest, v, r, s) => quoin.ecrecover(digest, v, r, s)

/** Who signed a digest: 65 bytes r ‖ s ‖ v with low s. Throws for anything else. */
export const recoverSigner: Guest['recoverSigner'] = (digest, signature) => quoin.recoverSigner(digest, signature)

/** Values in the ABI encoding: `abiEncode('address,uint256', [to, 1n])`. */
export const abiEncode: Guest['abiEncode'] = (types, values) => quoin.abiEncode(types, values)

/** Values in Solidity's packed encoding. */
export const abiEncodePacked: Guest['abiEncodePacked'] = (types, values) => quoin.abiEncodePacked(types, values)

/** Values of an ABI encoding; throws for bytes that are not the one encoding of values. */
export const abiDecode: Guest['abiDecode'] = (types, data) => quoin.abiDecode(types, data)

/** What a wallet signs (EIP-712): 32 bytes. `encodeType` as in `Mail(Person to)Person(address wallet)`. */
export const typedDataDigest: Guest['typedDataDigest'] = (encodeType, domain, message) =>
  quoin.typedDataDigest(encodeType, domain, message)

/** OpenZeppelin's MerkleProof; nodes one behind the other. */
export const verifySortedProof: Guest['verifySortedProof'] = (root, leaf, nodes) => quoin.verifySortedProof(root, leaf, nodes)

/** A proof in this chain's own trees. */
export const verifyOrderedProof: Guest['verifyOrderedProof'] = (root, item, index, count, nodes) =>
  quoin.verifyOrderedProof(root, item, index, count, nodes)

/** 20 bytes as text. */
export const formatAddress: Guest['formatAddress'] = (bytes) => quoin.formatAddress(bytes)

/** Text as 20 bytes. */
export const parseAddress: Guest['parseAddress'] = (text) => quoin.parseAddress(text)

/** -1n, 0n or 1n. */
export const compareBytes: Guest['compareBytes'] = (a, b) => quoin.compareBytes(a, b)

/** At most 4,096 parts. */
export const concatBytes: Guest['concatBytes'] = (parts) => quoin.concatBytes(parts)

/** Text as UTF-8. */
export const encodeUtf8: Guest['encodeUtf8'] = (text) => quoin.encodeUtf8(text)

/** UTF-8 as text; throws where it is none. */
export const decodeUtf8: Guest['decodeUtf8'] = (bytes) => quoin.decodeUtf8(bytes)

/** Bytes as lower-case hex digits with 0x. */
export const encodeHex: Guest['encodeHex'] = (bytes) => quoin.encodeHex(bytes)

/** Hex digits as bytes. */
export const decodeHex: Guest['decodeHex'] = (text) => quoin.decodeHex(text)

/** Wei of an account. */
export const balanceOf: Guest['balanceOf'] = (account) => quoin.balanceOf(account)

/** Code of an account, empty where there is none. */
export const codeAt: Guest['codeAt'] = (account) => quoin.codeAt(account)

/** Calls with calldata; answers with the bytes returned, or throws with the callee's error as `data`. */
export const callRaw: Guest['callRaw'] = (to, data, options) => quoin.callRaw(to, data, options)

/** The same for calls that may not write. */
export const staticCallRaw: Guest['staticCallRaw'] = (to, data, options) => quoin.staticCallRaw(to, data, options)

/** Makes a contract of a container; `encodedArguments` as `abiEncode` makes them. */
export const create: Guest['create'] = (container, encodedArguments, options) =>
  quoin.create(container, encodedArguments, options)
