import { Transaction as EthersTransaction, SigningKey, Wallet } from 'ethers'
import fc from 'fast-check'
import { type AccessList, parseTransaction } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { neighbours } from '../test/codec-laws.ts'
import { CHAIN_ID, type Request, reencode, request, serializeWithViem } from '../test/transactions.ts'
import { bytesToBigInt, bytesToHex, concatBytes, equalBytes, type Hex, hexToBytes } from './bytes.ts'
import { LIMITS } from './limits.ts'
import { nobleCrypto as crypto } from './noble.ts'
import { unwrap } from './result.ts'
import { encodeRlp, integerPayload, type RlpValue, wrapList } from './rlp.ts'
import { decodeTransaction, recoverSender, signingHash, type Transaction, type TransactionErrorCode } from './transaction.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const secret: Hex = `0x${'4c'.repeat(32)}`
const account = privateKeyToAccount(secret)
const sender = account.address.toLowerCase()

const decode = (raw: Uint8Array, chainId = CHAIN_ID) => decodeTransaction(crypto, chainId, raw)
const refusal = (raw: Uint8Array, chainId = CHAIN_ID): readonly [TransactionErrorCode, string] | undefined => {
  const decoded = decode(raw, chainId)
  return decoded.ok ? undefined : [decoded.error.code, decoded.error.message]
}

const signWithViem = async (fields: Request) => hexToBytes(await account.signTransaction(fields))

function signWithEthers({ type, gas, to, ...fields }: Request): Uint8Array {
  const unsigned = { type: ['legacy', 'eip2930', 'eip1559'].indexOf(type), gasLimit: gas ?? 0n, to: to ?? null, ...fields }
  const transaction = EthersTransaction.from(unsigned as never)
  transaction.signature = new SigningKey(secret).sign(transaction.unsignedHash)
  return hexToBytes(transaction.serialized as Hex)
}

/** The fields of a wallet's request, with the decoder's names. */
const fieldsOf = (asked: Request) => {
  const price = asked.type === 'eip1559' ? undefined : asked.gasPrice
  return {
    type: ['legacy', 'eip2930', 'eip1559'].indexOf(asked.type),
    chainId: asked.chainId,
    nonce: asked.nonce,
    maxPriorityFeePerGas: price ?? (asked as { maxPriorityFeePerGas: bigint }).maxPriorityFeePerGas,
    maxFeePerGas: price ?? (asked as { maxFeePerGas: bigint }).maxFeePerGas,
    gasLimit: Number(asked.gas),
    to: asked.to ?? undefined,
    value: asked.value,
    data: hexToBytes(asked.data ?? '0x'),
    accessList: asked.type === 'legacy' ? [] : ((asked.accessList ?? []) as AccessList),
  }
}

describe('transactions of wallets', () => {
  it('decode to the requested fields, with hash and sender, from any serializer', async () => {
    await fc.assert(
      fc.asyncProperty(request(), async (asked) => {
        const raw = await signWithViem(asked)
        expect(bytesToHex(signWithEthers(asked))).toBe(bytesToHex(raw))

        const transaction = unwrap(decode(raw))
        expect(transaction).toMatchObject(fieldsOf(asked))
        expect(transaction.raw).toBe(raw)
        expect(equalBytes(reencode(transaction), raw)).toBe(true)
        expect(equalBytes(serializeWithViem(transaction), raw)).toBe(true)

        const theirs = EthersTransaction.from(bytesToHex(raw))
        expect(transaction.hash).toBe(theirs.hash)
        expect(bytesToHex(signingHash(crypto, transaction))).toBe(theirs.unsignedHash)
        expect(bytesToHex(transaction.signature)).toBe(theirs.signature!.r + theirs.signature!.s.slice(2))
        expect(transaction.yParity).toBe(theirs.signature!.yParity)
        expect(recoverSender(crypto, transaction)).toBe(sender)
        expect(theirs.from?.toLowerCase()).toBe(sender)
      }),
      { numRuns: 40 },
    )
  })

  it('decode for every chain id', async () => {
    const chains = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 51 }))
    await fc.assert(
      fc.asyncProperty(
        chains.chain((chainId) => request(chainId)),
        async (asked) => {
          const raw = await signWithViem(asked)
          expect(recoverSender(crypto, unwrap(decode(raw, asked.chainId)))).toBe(sender)
          expect(refusal(raw, asked.chainId! + 1)?.[0]).toBe('wrong-chain')
        },
      ),
      { numRuns: 15 },
    )
  })

  it('include the example of EIP-155', () => {
    const raw = hexToBytes(
      '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    )
    const transaction = unwrap(decode(raw, 1))
    expect(transaction).toMatchObject({
      nonce: 9,
      gasLimit: 21_000,
      maxFeePerGas: 20_000_000_000n,
      value: 10n ** 18n,
      yParity: 0,
    })
    expect(bytesToHex(signingHash(crypto, transaction))).toBe(
      '0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
    )
    expect(recoverSender(crypto, transaction)).toBe('0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
  })
})

const samples: Readonly<Record<string, Request>> = {
  'type 0, a call': {
    type: 'legacy',
    chainId: CHAIN_ID,
    nonce: 0,
    gasPrice: 0n,
    gas: 21_000n,
    to: account.address,
    value: 1n,
    data: '0x',
  },
  'type 0, a creation': {
    type: 'legacy',
    chainId: CHAIN_ID,
    nonce: 300,
    gasPrice: 7n,
    gas: 0n,
    value: 0n,
    data: `0x${'60'.repeat(60)}`,
  },
  'type 1': {
    type: 'eip2930',
    chainId: CHAIN_ID,
    nonce: 1,
    gasPrice: 1_000n,
    gas: 90_000n,
    to: account.address,
    value: 2n ** 200n,
    data: '0x00',
    accessList: [
      { address: account.address, storageKeys: [`0x${'00'.repeat(32)}`] },
      { address: account.address, storageKeys: [] },
    ],
  },
  'type 2': {
    type: 'eip1559',
    chainId: CHAIN_ID,
    nonce: 2 ** 31,
    maxPriorityFeePerGas: 0n,
    maxFeePerGas: 128n,
    gas: 21_000n,
    to: account.address,
    value: 10n ** 18n,
    data: '0xabcdef',
    accessList: [],
  },
}

/** Checks that bytes are refused or decode to a transaction that encodes to exactly these bytes. */
function checkCanonical(raw: Uint8Array): void {
  const decoded = decode(raw)
  if (decoded.ok && !equalBytes(reencode(decoded.value), raw)) throw new Error(`not canonical: ${bytesToHex(raw)}`)
}

describe('no two byte strings decode to one transaction', () => {
  it.each(Object.entries(samples))('%s: every changed bit, every cut and every further byte', async (_name, asked) => {
    const raw = await signWithViem(asked)
    for (const changed of neighbours(raw)) checkCanonical(changed)
    for (let length = 0; length < raw.length; length++) {
      const cut = refusal(raw.subarray(0, length))
      if (cut?.[0] !== 'malformed') throw new Error(`${length} of ${raw.length} bytes: ${cut?.join(' ')}`)
    }
    for (const byte of [0x00, 0x01, 0x80, 0xc0, 0xff])
      expect(refusal(concatBytes(raw, Uint8Array.of(byte)))?.[0]).toBe('malformed')
  })

  it.each(Object.entries(samples))('%s: another bit is another transaction or another sender', async (_name, asked) => {
    const raw = await signWithViem(asked)
    const hashes = new Set([unwrap(decode(raw)).hash])
    const signed = new Set([sender])
    let decodable = 0
    for (let bit = 0; bit < 8 * raw.length; bit += 41) {
      const changed = decode(raw.with(bit >> 3, raw[bit >> 3]! ^ (1 << (bit & 7))))
      if (!changed.ok) continue
      decodable++
      hashes.add(changed.value.hash)
      expect(signed).not.toContain(recoverSender(crypto, changed.value))
    }
    expect(hashes.size).toBe(1 + decodable)
  })
})

// Bytes that no wallet produces, written field by field.

const word = (byte: number) => new Uint8Array(32).fill(byte)
const none = new Uint8Array(0)
const int = integerPayload

interface Parts {
  readonly nonce: RlpValue
  readonly price: RlpValue
  readonly gas: RlpValue
  readonly to: RlpValue
  readonly value: RlpValue
  readonly data: RlpValue
  readonly accessList: RlpValue
  readonly v: RlpValue
  readonly r: RlpValue
  readonly s: RlpValue
  readonly chainId: RlpValue
}

const parts: Parts = {
  nonce: int(1),
  price: int(2),
  gas: int(21_000),
  to: new Uint8Array(20).fill(7),
  value: int(3),
  data: none,
  accessList: [],
  v: int(1),
  r: word(0x11),
  s: word(0x22),
  chainId: int(CHAIN_ID),
}

function legacy(changes: Partial<Parts> = {}, ...further: RlpValue[]): Uint8Array {
  const { nonce, price, gas, to, value, data, v, r, s } = { ...parts, v: int(35 + 2 * CHAIN_ID), ...changes }
  return encodeRlp([nonce, price, gas, to, value, data, v, r, s, ...further])
}

function typed(type: number, changes: Partial<Parts> = {}, ...further: RlpValue[]): Uint8Array {
  const { chainId, nonce, price, gas, to, value, data, accessList, v, r, s } = { ...parts, ...changes }
  const prices = type === 1 ? [price] : [price, price]
  return concatBytes(
    Uint8Array.of(type),
    encodeRlp([chainId, nonce, ...prices, gas, to, value, data, accessList, v, r, s, ...further]),
  )
}

const forms: readonly (readonly [string, (changes?: Partial<Parts>, ...further: RlpValue[]) => Uint8Array])[] = [
  ['type 0', legacy],
  ['type 1', (...args) => typed(1, ...args)],
  ['type 2', (...args) => typed(2, ...args)],
]

describe.each(forms)('%s', (name, form) => {
  it('is accepted with the fields below', () => {
    expect(unwrap(decode(form())) satisfies Transaction).toMatchObject({ type: Number(name.at(-1)), nonce: 1, gasLimit: 21_000 })
    expect(equalBytes(reencode(unwrap(decode(form()))), form())).toBe(true)
  })

  it.each([
    ['a nonce with a leading zero', { nonce: Uint8Array.of(0, 1) }, 'nonce has a leading zero'],
    ['a nonce of one zero byte', { nonce: Uint8Array.of(0) }, 'nonce has a leading zero'],
    ['a nonce of 33 bits', { nonce: int(2 ** 32) }, 'nonce is above 4294967295'],
    ['a gas limit above 2^53 - 1', { gas: int(2n ** 53n) }, 'gasLimit is above 9007199254740991'],
    ['a gas limit with a leading zero', { gas: Uint8Array.of(0, 5) }, 'gasLimit has a leading zero'],
    ['a recipient of 19 bytes', { to: new Uint8Array(19) }, 'to has 19 bytes, must have 20 or 0'],
    ['a recipient of 21 bytes', { to: new Uint8Array(21) }, 'to has 21 bytes, must have 20 or 0'],
    ['a recipient that is a list', { to: [] }, 'to is a list'],
    ['a value with a leading zero', { value: Uint8Array.of(0, 5) }, 'value has a leading zero'],
    ['a value of 33 bytes', { value: int(2n ** 256n) }, 'value has more than 32 bytes'],
    ['a price of 33 bytes', { price: int(2n ** 256n) }, 'has more than 32 bytes'],
    ['data that are a list', { data: [] }, 'data is a list'],
  ] as const)('refuses %s', (_what, changes, message) => {
    const found = refusal(form(changes))
    expect(found?.[0]).toBe('malformed')
    expect(found?.[1]).toContain(`transaction is not canonical RLP: `)
    expect(found?.[1]).toContain(message)
  })

  it.each([
    ['no r', { r: none }],
    ['an r with a leading zero', { r: concatBytes(Uint8Array.of(0), word(1).subarray(1)) }],
    ['an r of 33 bytes', { r: new Uint8Array(33).fill(1) }],
    ['no s', { s: none }],
    ['an s with a leading zero', { s: Uint8Array.of(0) }],
    ['an s of one more than half the order', { s: int(ORDER / 2n + 1n) }],
    ['the highest s', { s: word(0xff) }],
  ] as const)('refuses %s as a bad signature', (_what, changes) => {
    expect(refusal(form(changes))?.[0]).toBe('bad-signature')
  })

  it('takes the s of exactly half the order', () => {
    expect(refusal(form({ s: int(ORDER / 2n) }))).toBeUndefined()
  })

  it('has no sender when no key can have signed', () => {
    const notOnCurve = unwrap(decode(form({ r: int(5) })))
    expect(recoverSender(crypto, notOnCurve)).toBeUndefined()
    expect(recoverSender(crypto, unwrap(decode(form({ r: int(ORDER) }))))).toBeUndefined()
  })

  it('refuses a further field, and a missing one', () => {
    expect(refusal(form({}, none))?.[1]).toContain('1 bytes follow the last item')
    const raw = form()
    const type = name === 'type 0' ? none : raw.subarray(0, 1)
    // Skips the list's prefix of two bytes, and the s of 33 bytes at the end.
    const withoutS = wrapList(raw.subarray(type.length + 2, -33))
    expect(refusal(concatBytes(type, withoutS))?.[1]).toContain('an item is missing')
  })
})

describe('the signature of a high s', () => {
  it('is the other half of a valid one, which Ethereum refuses since Homestead', async () => {
    const { data: _, ...wanted } = samples['type 2']!
    const signed = parseTransaction(bytesToHex(await signWithViem(wanted as Request)))
    const low = bytesToBigInt(hexToBytes(signed.s!))
    const raw = typed(2, { r: hexToBytes(signed.r!), s: int(ORDER - low), v: int(1 - signed.yParity!) })
    expect(refusal(raw)).toEqual(['bad-signature', 's is above half the order (EIP-2): sign with a low s'])
  })
})

describe('v of a legacy transaction', () => {
  it.each([27, 28])('%i is unprotected', (v) => {
    expect(refusal(legacy({ v: int(v) }))).toEqual(['unprotected', 'only replay-protected (EIP-155) transactions allowed'])
  })

  it('of Wallet without a chain id is unprotected', async () => {
    const raw = hexToBytes(
      (await new Wallet(secret).signTransaction({ type: 0, gasLimit: 21_000, gasPrice: 1, nonce: 0 })) as Hex,
    )
    expect(refusal(raw)?.[0]).toBe('unprotected')
  })

  it.each([0, 1, 26, 29, 34])('%i is not a value of EIP-155', (v) => {
    expect(refusal(legacy({ v: int(v) }))).toEqual(['malformed', `v is ${v}, not an EIP-155 value`])
  })

  it.each([35, 36, 37, 38])('%i names another chain', (v) => {
    expect(refusal(legacy({ v: int(v) }))?.[0]).toBe('wrong-chain')
  })

  it('tells parity and chain', () => {
    for (const yParity of [0, 1] as const) {
      expect(unwrap(decode(legacy({ v: int(35 + 2 * CHAIN_ID + yParity) })))).toMatchObject({ yParity, chainId: CHAIN_ID })
    }
  })
})

describe('another chain', () => {
  it('is named with this one', () => {
    const message = 'transaction is signed for chain id 1, this chain is 31337'
    expect(refusal(legacy({ v: int(37) }))).toEqual(['wrong-chain', message])
    for (const type of [1, 2]) expect(refusal(typed(type, { chainId: int(1) }))).toEqual(['wrong-chain', message])
  })

  it('with id 0 is refused', () => {
    expect(refusal(typed(2, { chainId: none }))?.[0]).toBe('wrong-chain')
    expect(refusal(typed(2, { chainId: Uint8Array.of(0) }))?.[0]).toBe('malformed')
  })
})

describe('other types', () => {
  it.each([0x00, 0x03, 0x04, 0x7e, 0x7f, 0x80, 0xb8, 0xbf])('first byte %i', (type) => {
    const raw = typed(type)
    const message = `transaction type not valid: first byte ${type}, supported are legacy, 1 (EIP-2930) and 2 (EIP-1559)`
    expect(refusal(raw)).toEqual(['type-not-supported', message])
  })

  it('nothing at all', () => {
    expect(refusal(none)).toEqual(['malformed', 'transaction is empty'])
  })

  it.each([1, 2])('type %i inside a byte string, as bodies of Ethereum blocks carry it', (type) => {
    expect(refusal(encodeRlp(typed(type)))?.[0]).toBe('type-not-supported')
  })
})

describe('yParity of a typed transaction', () => {
  it.each([1, 2])('type %i: is 0 or 1', (type) => {
    for (const v of [0, 1]) expect(unwrap(decode(typed(type, { v: int(v) }))).yParity).toBe(v)
    expect(refusal(typed(type, { v: int(2) }))?.[1]).toContain('yParity is above 1')
    expect(refusal(typed(type, { v: Uint8Array.of(0) }))?.[0]).toBe('malformed')
  })
})

describe('access lists', () => {
  const address = new Uint8Array(20).fill(9)
  const keys = (count: number): RlpValue => Array.from({ length: count }, () => word(1))
  const entries = (count: number, keysEach: number): RlpValue => Array.from({ length: count }, () => [address, keys(keysEach)])

  it.each([1, 2])('type %i: go up to their limits', (type) => {
    const { accessListEntriesMax, accessListKeysMax } = LIMITS
    for (const accessList of [
      entries(accessListEntriesMax, 0),
      entries(1, accessListKeysMax),
      entries(2, accessListKeysMax / 2),
    ]) {
      expect(refusal(typed(type, { accessList }))).toBeUndefined()
    }
    for (const accessList of [
      entries(accessListEntriesMax + 1, 0),
      entries(1, accessListKeysMax + 1),
      [...(entries(2, accessListKeysMax / 2) as RlpValue[]), [address, keys(1)]],
    ]) {
      expect(refusal(typed(type, { accessList }))).toEqual([
        'oversized',
        'access list is too long: at most 1024 addresses and 4096 storage keys are allowed',
      ])
    }
  })

  it.each([
    ['an entry that is not a list', [address], 'accessList entry is not a list'],
    ['an entry without keys', [[address]], 'an item is missing'],
    ['an entry of three', [[address, [], none]], '1 bytes follow the last item'],
    ['an address of 19 bytes', [[address.subarray(1), []]], 'accessList address has 19 bytes, not 20'],
    ['a key of 31 bytes', [[address, [word(1).subarray(1)]]], 'accessList key has 31 bytes, not 32'],
    ['keys that are not a list', [[address, none]], 'accessList keys is not a list'],
    ['no list', none, 'accessList is not a list'],
  ] as const)('refuse %s', (_what, accessList, message) => {
    expect(refusal(typed(1, { accessList: accessList as RlpValue }))?.[1]).toContain(message)
    expect(refusal(typed(2, { accessList: accessList as RlpValue }))?.[0]).toBe('malformed')
  })
})

describe('size', () => {
  it('has a minimum, which a transaction can have', () => {
    const none = new Uint8Array(0)
    const one = Uint8Array.of(1)
    const smallest = (v: number) => encodeRlp([none, none, none, none, none, none, Uint8Array.of(v), one, one])
    expect(smallest(35)).toHaveLength(LIMITS.transactionBytesMin)
    const transaction = unwrap(decode(smallest(37), 1))
    expect(recoverSender(crypto, transaction)).toBeDefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: LIMITS.transactionBytesMin - 1 }), (raw) => {
        expect(decode(raw, 1).ok).toBe(false)
      }),
    )
    for (const first of [0xc0, 0xc8, 1, 2])
      for (let length = 0; length < LIMITS.transactionBytesMin - 1; length++)
        expect(decode(Uint8Array.of(first, ...new Uint8Array(length).fill(0x80)), 1).ok).toBe(false)
  })

  it('is limited exactly', () => {
    const overhead = legacy({ data: new Uint8Array(LIMITS.transactionBytesMax) }).length - LIMITS.transactionBytesMax
    const largest = legacy({ data: new Uint8Array(LIMITS.transactionBytesMax - overhead) })
    expect(largest.length).toBe(LIMITS.transactionBytesMax)
    expect(refusal(largest)).toBeUndefined()
    const larger = legacy({ data: new Uint8Array(LIMITS.transactionBytesMax - overhead + 1) })
    expect(refusal(larger)).toEqual(['oversized', 'transaction has 262145 bytes, at most 262144 are allowed'])
    expect(refusal(new Uint8Array(LIMITS.transactionBytesMax + 1))?.[0]).toBe('oversized')
  })
})

describe('decoding', () => {
  it('never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(0x01, 0x02, 0xc9, 0xf8), fc.uint8Array({ maxLength: 60 }), (first, rest) => {
        checkCanonical(concatBytes(Uint8Array.of(first), rest))
      }),
      { numRuns: 2_000 },
    )
  })
})
