import type { Guest } from './guest.ts'
import type { Address } from './value-types.ts'

declare const quoin: Guest

/**
 * Converts a string to an address with its EIP-55 checksum. Use it for literals, outside of functions, where it costs no gas in calls.
 *
 * @throws when the string is not an address; mixed case must have the right checksum
 * @example
 *     const TREASURY = address('0x…')
 */
export const address = (text: string): Address => quoin.formatAddress(quoin.parseAddress(text))

/** The zero address. An address in the state that was never set reads as this. Nobody has its key. */
export const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000' as Address

/** The Keccak-256 hash: 32 bytes. */
export const keccak256: Guest['keccak256'] = (data) => quoin.keccak256(data)

/** The SHA-256 hash: 32 bytes. */
export const sha256: Guest['sha256'] = (data) => quoin.sha256(data)

/** The signer of a digest, as the EVM's precompile computes it; undefined if the signature is invalid. Also accepts high s. */
export const ecrecover: Guest['ecrecover'] = (digest, v, r, s) => quoin.ecrecover(digest, v, r, s)

/** The signer of a 32-byte digest. The signature must be 65 bytes r ‖ s ‖ v with low s; throws for anything else. */
export const recoverSigner: Guest['recoverSigner'] = (digest, signature) => quoin.recoverSigner(digest, signature)

/** ABI-encodes values: `abiEncode('address,uint256', [to, 1n])`. */
export const abiEncode: Guest['abiEncode'] = (types, values) => quoin.abiEncode(types, values)

/** Encodes values in Solidity's packed mode (`abi.encodePacked`). */
export const abiEncodePacked: Guest['abiEncodePacked'] = (types, values) => quoin.abiEncodePacked(types, values)

/** Decodes ABI-encoded values. Throws for bytes that are not the canonical encoding. */
export const abiDecode: Guest['abiDecode'] = (types, data) => quoin.abiDecode(types, data)

/** The EIP-712 digest that a wallet signs: 32 bytes. `encodeType` is EIP-712's, such as `Mail(Person to)Person(address wallet)`. */
export const typedDataDigest: Guest['typedDataDigest'] = (encodeType, domain, message) =>
  quoin.typedDataDigest(encodeType, domain, message)

/** Verifies a Merkle proof in the format of OpenZeppelin's MerkleProof (sorted pairs). `nodes` are the concatenated 32-byte nodes. */
export const verifySortedProof: Guest['verifySortedProof'] = (root, leaf, nodes) => quoin.verifySortedProof(root, leaf, nodes)

/** Verifies a Merkle proof in the format of this chain's own trees (ordered, by index). */
export const verifyOrderedProof: Guest['verifyOrderedProof'] = (root, item, index, count, nodes) =>
  quoin.verifyOrderedProof(root, item, index, count, nodes)

/** Converts 20 bytes to an address with its checksum. */
export const formatAddress: Guest['formatAddress'] = (bytes) => quoin.formatAddress(bytes)

/** Converts an address to its 20 bytes. */
export const parseAddress: Guest['parseAddress'] = (text) => quoin.parseAddress(text)

/** Compares bytes in lexicographic order: -1n, 0n or 1n. */
export const compareBytes: Guest['compareBytes'] = (a, b) => quoin.compareBytes(a, b)

/** Concatenates byte arrays; at most 4,096. */
export const concatBytes: Guest['concatBytes'] = (parts) => quoin.concatBytes(parts)

/** Encodes a string as UTF-8. */
export const encodeUtf8: Guest['encodeUtf8'] = (text) => quoin.encodeUtf8(text)

/** Decodes UTF-8. Throws for invalid UTF-8. */
export const decodeUtf8: Guest['decodeUtf8'] = (bytes) => quoin.decodeUtf8(bytes)

/** Encodes bytes as lower-case hex with 0x. */
export const encodeHex: Guest['encodeHex'] = (bytes) => quoin.encodeHex(bytes)

/** Decodes hex to bytes. */
export const decodeHex: Guest['decodeHex'] = (text) => quoin.decodeHex(text)

/** Balance of an account, in wei. */
export const balanceOf: Guest['balanceOf'] = (account) => quoin.balanceOf(account)

/** Code of an account; empty if it has none. */
export const codeAt: Guest['codeAt'] = (account) => quoin.codeAt(account)

/** Calls a contract with raw calldata and returns the raw return data. If the call fails, throws an error with the callee's error as `data`. */
export const callRaw: Guest['callRaw'] = (to, data, options) => quoin.callRaw(to, data, options)

/** Like `callRaw`, but the callee must not write. */
export const staticCallRaw: Guest['staticCallRaw'] = (to, data, options) => quoin.staticCallRaw(to, data, options)

/** Creates a contract from a container. `encodedArguments` are the constructor's arguments, encoded with `abiEncode`. Returns its address. */
export const create: Guest['create'] = (container, encodedArguments, options) =>
  quoin.create(container, encodedArguments, options)

/**
 * Like `create`, but the new address follows from this contract, the salt (32 bytes), the container and the arguments alone, as with
 * Ethereum's CREATE2 (EIP-1014). Fails if there is a contract at that address already.
 */
export const create2: Guest['create2'] = (container, salt, encodedArguments, options) =>
  quoin.create2(container, salt, encodedArguments, options)

/**
 * Creates a contract with a code of the chain: that of the contract at an address, as it is now, or the one with a hash (keccak256 of
 * the container), which no upgrade can change. Costs a fraction of `create`. `encodedArguments` are the constructor's arguments,
 * encoded with `abiEncode`. Returns its address.
 */
export const clone: Guest['clone'] = (of, encodedArguments, options) => quoin.clone(of, encodedArguments, options)

/**
 * Like `clone`, but the new address follows from this contract, the salt (32 bytes), the code and the arguments alone: it is the
 * last 20 bytes of `keccak256(0xff ‖ this contract ‖ salt ‖ keccak256(0x00 ‖ code hash ‖ arguments))`.
 */
export const clone2: Guest['clone2'] = (of, salt, encodedArguments, options) => quoin.clone2(of, salt, encodedArguments, options)
