import fc from 'fast-check'
import { getContractAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { Address, Hash, hexToBytes } from './bytes.ts'
import { cloneInitCodeHash, contractAddress, saltedContractAddress } from './contract-address.ts'
import { encodeContainer } from './contract-container.ts'
import { nobleCrypto } from './noble.ts'
import { U32_MAX } from './numbers.ts'

/** Values that the examples of EIP-1014 abbreviate here. */
const EIP_CREATORS: Readonly<Record<string, string>> = {
  '00': `0x${'00'.repeat(20)}`,
  deadbeef: `0xdeadbeef${'00'.repeat(16)}`,
  '00deadbeef': `0x${'00'.repeat(16)}deadbeef`,
}
const EIP_SALTS: Readonly<Record<string, Uint8Array>> = {
  '00': new Uint8Array(32),
  feed: hexToBytes(`0x${'00'.repeat(12)}feed${'00'.repeat(18)}`),
  cafebabe: hexToBytes(`0x${'00'.repeat(28)}cafebabe`),
}

describe('contractAddress', () => {
  it('is that of viem', () => {
    const nonces = fc.oneof(fc.constantFrom(0, 1, 127, 128, 255, 256, U32_MAX), fc.nat(U32_MAX))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), nonces, (bytes, nonce) => {
        const from = Address(bytes)
        expect(contractAddress(nobleCrypto, from, nonce)).toBe(getContractAddress({ from, nonce: BigInt(nonce) }).toLowerCase())
      }),
    )
  })
})

describe('saltedContractAddress', () => {
  // The examples of EIP-1014 (https://eips.ethereum.org/EIPS/eip-1014, CC0): address, salt, init code, result.
  it.each([
    ['00', '00', '00', '0x4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38'],
    ['deadbeef', '00', '00', '0xb928f69bb1d91cd65274e3c79d8986362984fda3'],
    ['deadbeef', 'feed', '00', '0xd04116cdd17bebe565eb2422f2497e06cc1c9833'],
    ['00', '00', 'deadbeef', '0x70f2b2914a2a4b783faefb75f459a580616fcb5e'],
    ['00deadbeef', 'cafebabe', 'deadbeef', '0x60f3f640a8508fc6a86d45df051962668e1e8ac7'],
    ['00deadbeef', 'cafebabe', 'deadbeef'.repeat(11), '0x1d8bfdc5d46dc4f61d6b6115972536ebe6a8854c'],
    ['00', '00', '', '0xe33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0'],
  ])('is that of EIP-1014 for %s, %s, 0x%s', (creator, salt, initCode, address) => {
    const from = EIP_CREATORS[creator]!
    const hash = nobleCrypto.keccak256(hexToBytes(`0x${initCode}`))
    expect(saltedContractAddress(nobleCrypto, Address(from), EIP_SALTS[salt]!, hash)).toBe(address)
  })

  it('is that of viem', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(20), bytes(32), fc.uint8Array({ maxLength: 300 }), (creator, salt, bytecode) => {
        const from = Address(creator)
        const found = saltedContractAddress(nobleCrypto, from, salt, nobleCrypto.keccak256(bytecode))
        expect(found).toBe(getContractAddress({ opcode: 'CREATE2', from, salt, bytecode }).toLowerCase())
      }),
    )
  })
})

describe('cloneInitCodeHash', () => {
  const keccak256 = nobleCrypto.keccak256
  const clone = { codeHash: Hash(new Uint8Array(32).fill(0xa1)), constructorArguments: Uint8Array.of(1, 2, 3) }

  it('is the hash of a zero byte, the hash of the code and the arguments', () => {
    const text = Uint8Array.of(0, ...hexToBytes(clone.codeHash), ...clone.constructorArguments)
    expect(cloneInitCodeHash(nobleCrypto, clone.codeHash, clone.constructorArguments)).toEqual(keccak256(text))
  })

  it('is not that of a container, even if the hash of the code is the beginning of one', () => {
    // Such a hash can be found by trial: of its bits, those of the authority's address are free.
    const authority = { kind: 'account', address: Address(new Uint8Array(20).fill(0xa2)) } as const
    const container = encodeContainer({
      ...{ upgradeAuthority: authority, reentrantSelectors: [], compiler: '', source: 'export default {}', abi: [] },
      sourceMap: new Uint8Array(0),
    })
    const begin = Hash(container.subarray(0, 32))
    expect(cloneInitCodeHash(nobleCrypto, begin, container.subarray(32))).not.toEqual(keccak256(container))
  })
})
