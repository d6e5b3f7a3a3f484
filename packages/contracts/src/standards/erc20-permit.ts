import {
  abiEncode,
  type ContextOf,
  compareBytes,
  decodeHex,
  ecrecover,
  encodeUtf8,
  keccak256,
  mapping,
  part,
  typedDataDigest,
} from '../kit/index.ts'
import { approve, erc20 } from './erc20.ts'

const VERSION = '1'
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'
const PERMIT_TYPE = 'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'

/** Half the order of secp256k1. Of two equivalent signatures, only the one with s up to this is valid (EIP-2). */
const S_MAX = decodeHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')

/** Bit mask of the domain's fields in use (EIP-5267): name, version, chainId and verifyingContract. */
const DOMAIN_FIELDS = 0x0f

const domainOf = ({ state, chainId, self }: ContextOf<typeof erc20, 'view'>) => ({
  name: state.name.get(),
  version: VERSION,
  chainId,
  verifyingContract: self,
})

/**
 * Approvals by signature (ERC-2612) for a token, and the signed domain (ERC-5267): the name that `initErc20` stored, version 1. Only accounts with a
 * key can sign, contracts cannot. A signature is valid up to and including the second of its deadline.
 */
export const erc20Permit = part({
  uses: [erc20],
  abi: [
    'function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
    'function nonces(address owner) view returns (uint256)',
    'function DOMAIN_SEPARATOR() view returns (bytes32)',
    'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
    'error ERC2612ExpiredSignature(uint256 deadline)',
    'error ERC2612InvalidSigner(address signer, address owner)',
    'error ECDSAInvalidSignature()',
    'error ECDSAInvalidSignatureS(bytes32 s)',
  ],
  state: { nonces: mapping('address', 'uint256') },
  functions: {
    permit(context, owner, spender, amount, deadline, v, r, s) {
      const { state, revert, block } = context
      if (block.timestamp > deadline) throw revert.ERC2612ExpiredSignature(deadline)
      if (compareBytes(s, S_MAX) > 0n) throw revert.ECDSAInvalidSignatureS(s)
      const nonce = state.nonces.get(owner)
      const signed = { owner, spender, value: amount, nonce, deadline }
      const signer = ecrecover(typedDataDigest(PERMIT_TYPE, domainOf(context), signed), v, r, s)
      if (signer === undefined) throw revert.ECDSAInvalidSignature()
      if (signer !== owner) throw revert.ERC2612InvalidSigner(signer, owner)
      state.nonces.set(owner, nonce + 1n)
      approve(context, owner, spender, amount)
    },
    nonces: ({ state }, owner) => state.nonces.get(owner),
    DOMAIN_SEPARATOR(context) {
      const { name, version, chainId, verifyingContract } = domainOf(context)
      const hashes = [DOMAIN_TYPE, name, version].map((text) => keccak256(encodeUtf8(text)))
      return keccak256(abiEncode('bytes32,bytes32,bytes32,uint256,address', [...hashes, chainId, verifyingContract]))
    },
    eip712Domain(context) {
      const { name, version, chainId, verifyingContract } = domainOf(context)
      return [Uint8Array.of(DOMAIN_FIELDS), name, version, chainId, verifyingContract, new Uint8Array(32), []]
    },
  },
})
