import { Wallet } from 'ethers'
import { type Address, domainSeparator, erc20Abi, getContract, type Hex, parseAbi, parseSignature, toHex, zeroHash } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alice, bob, carol, eventsOf, MAX, revertOf, Stage, ZERO } from './harness.ts'

const abi = [
  ...erc20Abi,
  ...parseAbi([
    'function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
    'function nonces(address owner) view returns (uint256)',
    'function DOMAIN_SEPARATOR() view returns (bytes32)',
    'function mint(address to, uint256 value)',
    'error ERC2612ExpiredSignature(uint256 deadline)',
    'error ERC2612InvalidSigner(address signer, address owner)',
    'error ECDSAInvalidSignature()',
    'error ECDSAInvalidSignatureS(bytes32 s)',
    'error ERC20InvalidSpender(address spender)',
  ]),
] as const

/** ERC-2612's type, in the order of its text. */
const types = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const

/** Order of secp256k1. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const tokenAt = (address: Address) => getContract({ address, abi, client: stage.client })

let stage: Stage
let token: ReturnType<typeof tokenAt>
const [a, b, c] = [alice.address, bob.address, carol.address]

beforeAll(async () => {
  stage = await Stage.open('token')
})
afterAll(() => stage.close())
beforeEach(async () => {
  token = tokenAt(await stage.deploy('token', ['Gold', 'AU']))
})

const domain = (changes: { readonly chainId?: number; readonly verifyingContract?: Address; readonly name?: string } = {}) => ({
  ...{ name: 'Gold', version: '1', chainId: 31_337, verifyingContract: token.address },
  ...changes,
})
const message = (
  changes: Partial<{ owner: Address; spender: Address; value: bigint; nonce: bigint; deadline: bigint }> = {},
) => ({
  ...{ owner: a, spender: b, value: 50n, nonce: 0n, deadline: MAX },
  ...changes,
})
type Message = ReturnType<typeof message>

const sign = (signed: Message, by = alice, to = domain()) =>
  by.signTypedData({ domain: to, types, primaryType: 'Permit', message: signed })

function argumentsOf({ owner, spender, value, deadline }: Message, signature: Hex) {
  const { v, r, s } = parseSignature(signature)
  return [owner, spender, value, deadline, Number(v), r, s] as const
}

const refusal = async (signed: Message, signature: Hex) =>
  revertOf(token.simulate.permit(argumentsOf(signed, signature), { account: carol }))

describe('the domain', () => {
  it('has a separator "unique to the contract and chain"', async () => {
    expect(await token.read.DOMAIN_SEPARATOR()).toBe(domainSeparator({ domain: domain() }))
    const other = tokenAt(await stage.deploy('token', ['Gold', 'AU']))
    expect(await other.read.DOMAIN_SEPARATOR()).not.toBe(await token.read.DOMAIN_SEPARATOR())
  })

  it('is found by wallets (ERC-5267): the fields of its first four bits', async () => {
    expect(await stage.client.getEip712Domain({ address: token.address })).toEqual({
      domain: { ...domain(), salt: zeroHash },
      fields: '0x0f',
      extensions: [],
    })
  })
})

describe('permit', () => {
  it('"will set allowance[owner][spender] to value, increment nonces[owner] by 1, and emit a corresponding Approval event"', async () => {
    const signed = message()
    const receipt = await stage.done(token.write.permit(argumentsOf(signed, await sign(signed)), { account: carol }))
    expect(eventsOf(abi, receipt)).toEqual([['Approval', { owner: a, spender: b, value: 50n }]])
    expect(await Promise.all([token.read.allowance([a, b]), token.read.nonces([a]), token.read.nonces([c])])).toEqual([
      50n,
      1n,
      0n,
    ])
    await stage.done(token.write.mint([a, 50n], { account: alice }))
    await stage.done(token.write.transferFrom([a, c, 50n], { account: bob }))
  })

  it("takes ethers' signatures", async () => {
    const wallet = new Wallet(toHex(alice.getHdKey().privateKey!))
    const signed = message({ value: MAX })
    const signature = (await wallet.signTypedData(domain(), { Permit: [...types.Permit] }, signed)) as Hex
    await stage.done(token.write.permit(argumentsOf(signed, signature), { account: bob }))
    expect(await token.read.allowance([a, b])).toBe(MAX)
  })

  it('takes each signature once: "nonces[owner] (before the state update) is equal to nonce"', async () => {
    const signed = message()
    const signature = await sign(signed)
    await stage.done(token.write.permit(argumentsOf(signed, signature), { account: carol }))
    // With the next nonce the digest differs, and so does the recovered signer.
    expect(await refusal(signed, signature)).toMatchObject(['ERC2612InvalidSigner', expect.any(String), a])
    const early = message({ nonce: 2n })
    expect(await refusal(early, await sign(early))).toMatchObject(['ERC2612InvalidSigner', expect.any(String), a])
    const next = message({ nonce: 1n, value: 0n })
    await stage.done(token.write.permit(argumentsOf(next, await sign(next)), { account: carol }))
    expect(await token.read.allowance([a, b])).toBe(0n)
  })

  it('"The current blocktime is less than or equal to deadline"', async () => {
    const timestamp = (await stage.now()) + 100n
    const late = message({ deadline: timestamp - 1n })
    const inTime = message({ deadline: timestamp })
    await stage.client.setNextBlockTimestamp({ timestamp })
    await stage.failed(token.write.permit(argumentsOf(late, await sign(late)), { account: carol, gas: 2_000_000n }))
    expect(await stage.now()).toBe(timestamp)
    const expired = message({ deadline: timestamp - 1n })
    expect(await refusal(expired, await sign(expired))).toEqual(['ERC2612ExpiredSignature', timestamp - 1n])
    const id = await stage.client.snapshot()
    await stage.client.setNextBlockTimestamp({ timestamp: timestamp + 50n })
    await stage.failed(token.write.permit(argumentsOf(inTime, await sign(inTime)), { account: carol, gas: 2_000_000n }))
    await stage.client.revert({ id })
    await stage.client.setNextBlockTimestamp({ timestamp })
    await stage.done(token.write.permit(argumentsOf(inTime, await sign(inTime)), { account: carol, gas: 2_000_000n }))
    expect(await stage.now()).toBe(timestamp)
  })

  it.each([
    ['another signer', () => sign(message(), bob)],
    ['another spender', () => sign(message({ spender: c }))],
    ['another value', () => sign(message({ value: 51n }))],
    ['another deadline', () => sign(message({ deadline: MAX - 1n }))],
    ['another chain', () => sign(message(), alice, domain({ chainId: 1 }))],
    ['another contract', () => sign(message(), alice, domain({ verifyingContract: b }))],
    ['another name', () => sign(message(), alice, domain({ name: 'Silver' }))],
  ])(
    'refuses a signature of %s: "r, s and v is a valid secp256k1 signature from owner of the message"',
    async (_case, signature) => {
      expect(await refusal(message(), await signature())).toMatchObject(['ERC2612InvalidSigner', expect.any(String), a])
      expect(await token.read.nonces([a])).toBe(0n)
    },
  )

  it('refuses an invalid signature, and "owner is not the zero address"', async () => {
    const [owner, spender, value, deadline, , r, s] = argumentsOf(message(), await sign(message()))
    const invalid = (v: number, from: Address = owner, word: Hex = r) =>
      revertOf(token.simulate.permit([from, spender, value, deadline, v, word, s], { account: carol }))
    expect(await invalid(0)).toEqual(['ECDSAInvalidSignature'])
    expect(await invalid(29)).toEqual(['ECDSAInvalidSignature'])
    expect(await invalid(27, owner, zeroHash)).toEqual(['ECDSAInvalidSignature'])
    // The precompile's result for an invalid signature would be the zero address.
    expect(await invalid(0, ZERO)).toEqual(['ECDSAInvalidSignature'])
    expect(await invalid(27, ZERO)).toMatchObject(['ERC2612InvalidSigner', expect.any(String), ZERO])
  })

  it('refuses the other signature of the same message, with high s (EIP-2)', async () => {
    const [owner, spender, value, deadline, v, r, s] = argumentsOf(message(), await sign(message()))
    const other = toHex(N - BigInt(s), { size: 32 })
    expect(await revertOf(token.simulate.permit([owner, spender, value, deadline, 55 - v, r, other]))).toEqual([
      'ECDSAInvalidSignatureS',
      other,
    ])
    const half = toHex(N / 2n, { size: 32 })
    expect(await revertOf(token.simulate.permit([owner, spender, value, deadline, v, r, half]))).toMatchObject([
      'ERC2612InvalidSigner',
      ...[expect.any(String), a],
    ])
    expect(
      await revertOf(token.simulate.permit([owner, spender, value, deadline, v, r, toHex(N / 2n + 1n, { size: 32 })])),
    ).toMatchObject(['ECDSAInvalidSignatureS', expect.any(String)])
  })

  it('is an approval like any other: not for the zero address', async () => {
    const signed = message({ spender: ZERO })
    expect(await refusal(signed, await sign(signed))).toEqual(['ERC20InvalidSpender', ZERO])
  })
})
