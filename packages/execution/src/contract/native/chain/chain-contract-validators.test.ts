import {
  addressOfPublicKey,
  bytesToHex,
  nobleCrypto as crypto,
  type Height,
  idOfName,
  publicKeyOf,
  ROLES,
  readyDigest,
  rotationDigest,
} from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { BANK_A, BANK_B, Chain, CLERK, domain, setAccount } from '../../../../test/called-chain.ts'
import { TEST_VALIDATOR } from '../../../../test/chain.ts'
import { OTHER } from '../../../../test/contracts.ts'
import { recordIn, SYSTEM_RECORDS } from '../../../state/system-records.ts'

describe('validators', () => {
  const secret = (n: number) => new Uint8Array(32).fill(n)
  const keyOf = (n: number) => publicKeyOf(crypto.publicKey(secret(n))!)
  const sign = (n: number, digest: Uint8Array) => bytesToHex(crypto.sign(digest, secret(n)).signature)
  const id = idOfName('bank-b-1')!
  const start = () => {
    const chain = new Chain()
    chain.does('setNode', ['peer-b', 'validator', BANK_B, []])
    expect(chain.does('addValidator', [id, BANK_B, bytesToHex(keyOf(40)), 5, OTHER, ['peer-b']])).toEqual(['ValidatorAdded'])
    return chain
  }
  const entry = (chain: Chain, which = id) => recordIn(chain.journal, SYSTEM_RECORDS.roster).find((one) => one.id === which)!

  it('are added with a key, power, fee address and nodes', () => {
    const chain = start()
    expect(entry(chain)).toEqual({
      id,
      organisation: BANK_B,
      publicKey: keyOf(40),
      address: addressOfPublicKey(crypto, keyOf(40)),
      power: 5,
      feeAddress: OTHER,
      peerIds: ['peer-b'],
      readyAt: 0,
      changedAt: 7,
      rotatedAt: 0,
      equivocated: false,
    })
    expect(chain.tells('validator', [id])).toMatchObject({ 0: true, 3: 5n, 8: 0n, 9: 0n })
    expect(chain.tells('validator', [BANK_A])).toMatchObject({ 0: true, 3: 1n, 8: 1n, 9: 1n })
  })

  it.each([
    ['an id that is taken', [BANK_A, BANK_B, keyOf(41), 1, OTHER, ['peer-c']], 'Refused'],
    ['no organisation', [idOfName('n')!, idOfName('none')!, keyOf(41), 1, OTHER, ['peer-c']], 'UnknownOrganisation'],
    [
      'a key that is no point',
      [idOfName('n')!, BANK_B, Uint8Array.of(1, 2, ...new Uint8Array(32).fill(255)), 1, OTHER, ['peer-c']],
      'Invalid',
    ],
    ['a short key', [idOfName('n')!, BANK_B, new Uint8Array(33), 1, OTHER, ['peer-c']], 'Invalid'],
    ['the key of another', [idOfName('n')!, BANK_B, TEST_VALIDATOR.publicKey, 1, OTHER, ['peer-c']], 'Refused'],
    ['too much power', [idOfName('n')!, BANK_B, keyOf(41), 2 ** 32 + 1, OTHER, ['peer-c']], 'Invalid'],
    ['no node', [idOfName('n')!, BANK_B, keyOf(41), 1, OTHER, []], 'Invalid'],
    ['an unknown node', [idOfName('n')!, BANK_B, keyOf(41), 1, OTHER, ['none']], 'UnknownNode'],
    ['the node of another validator', [idOfName('n')!, BANK_B, keyOf(41), 1, OTHER, ['peer-b']], 'Refused'],
    ['the node of another organisation', [idOfName('n')!, BANK_B, keyOf(41), 1, OTHER, ['peer']], 'Refused'],
  ] as const)('are not added with %s', (_what, [who, organisation, key, power, fee, peers], code) => {
    const chain = start()
    chain.does('setNode', ['peer-c', 'validator', BANK_B, []])
    expect(chain.refusal('addValidator', [who, organisation, bytesToHex(key), power, fee, peers])[0]).toBe(code)
  })

  it('show that their key is in use', () => {
    const chain = start()
    chain.at(2_000)
    const proof = (height: number, n = 40, under = domain) => [
      id,
      height,
      sign(n, readyDigest(crypto, under, id, height as Height)),
    ]
    expect(chain.refusal('ready', proof(999))[0]).toBe('Invalid')
    expect(chain.refusal('ready', proof(2_001))[0]).toBe('Invalid')
    expect(chain.refusal('ready', proof(1_500, 41))).toEqual(['Invalid', 'signature', expect.any(String)])
    expect(chain.refusal('ready', proof(1_500, 40, { ...domain, restartEpoch: 1 }))[0]).toBe('Invalid')
    expect(chain.does('ready', proof(1_500), OTHER)).toEqual(['ValidatorReady'])
    expect(entry(chain).readyAt).toBe(1_500)
    expect(chain.refusal('ready', proof(1_500))[0]).toBe('Refused')
  })

  it('rotate their key by an operator, with a signature of the new key, once in 1,000 blocks, never back', () => {
    const chain = start()
    chain.does('setAccount', setAccount(CLERK, ROLES.operator))
    const before = addressOfPublicKey(crypto, keyOf(40))!
    const proof = (n: number, from = before) => [id, bytesToHex(keyOf(n)), sign(n, rotationDigest(crypto, domain, id, from))]
    expect(chain.refusal('rotateKey', proof(41), OTHER)[0]).toBe('NotAllowed')
    expect(
      chain.refusal('rotateKey', [id, bytesToHex(keyOf(41)), sign(40, rotationDigest(crypto, domain, id, before))], CLERK)[0],
    ).toBe('Invalid')
    expect(chain.does('rotateKey', proof(41), CLERK)).toEqual(['KeyRotated'])
    expect(entry(chain)).toMatchObject({ publicKey: keyOf(41), rotatedAt: 7, readyAt: 7, changedAt: 7 })
    const after = addressOfPublicKey(crypto, keyOf(41))!
    expect(chain.refusal('rotateKey', proof(42, after), CLERK)[0]).toBe('Refused')
    chain.at(1_007)
    expect(chain.refusal('rotateKey', proof(40, after), CLERK)).toEqual(['Refused', expect.stringContaining('is or was the key')])
    chain.does('rotateKey', proof(42, after), CLERK)
  })

  it('are removed once they have left the set', () => {
    const chain = start()
    expect(chain.refusal('removeValidator', [id])[0]).toBe('Refused')
    chain.does('setPower', [id, 0])
    chain.does('removeValidator', [id])
    expect(chain.refusal('setPower', [id, 1])).toEqual(['UnknownValidator', id])
    chain.does('setPower', [BANK_A, 0])
    expect(chain.refusal('removeValidator', [BANK_A])).toEqual(['Refused', expect.stringContaining('still votes')])
    chain.does('removeNode', ['peer-b'])
    expect(chain.refusal('addValidator', [idOfName('n')!, BANK_B, bytesToHex(keyOf(40)), 1, OTHER, ['peer-b']])[0]).toBe(
      'UnknownNode',
    )
  })
})
