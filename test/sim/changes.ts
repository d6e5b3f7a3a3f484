import { SYSTEM_ADDRESS } from '@quoin/execution'
import {
  addressOfPublicKey,
  bytesToHex,
  type Hash,
  type Height,
  hexToBytes,
  idOfName,
  publicKeyOf,
  ROLES,
  readyDigest,
  rotationDigest,
  type SigningDomain,
  unwrap,
} from '@quoin/protocol'
import { compileAbi } from '../../packages/execution/src/contract/abi/abi.ts'
import { encodeWithSelector } from '../../packages/execution/src/contract/abi/encode.ts'
import { CHAIN_ABI } from '../../packages/execution/src/contract/native/chain/chain-abi.ts'
import { simCrypto } from './crypto.ts'
import { clientAccount, governor, signed, validatorKey } from './genesis.ts'
import type { SeededRandom } from './random.ts'

/** How many changes of each kind the governor has sent. Not all of them succeed. */
export interface ChangeCounts {
  power: number
  added: number
  ready: number
  rotated: number
  removed: number
  rules: number
  roles: number
}

export const NO_CHANGES: Readonly<ChangeCounts> = { power: 0, added: 0, ready: 0, rotated: 0, removed: 0, rules: 0, roles: 0 }

/** Most changes fit; a change of the roster of few validators takes less than a million. */
const CHANGE_GAS = 4_000_000
const FIRST = idOfName('v0')!

/** What is needed to sign for a chain. */
interface ChainView {
  readonly domain: SigningDomain
  readonly height: number
}

/**
 * A governor that changes the chain all the time, in any order: powers, new validators on spare nodes, proofs of their keys, rotations to
 * the keys of spare nodes, removals, parameters, policies, roles and suspensions. It does not know what the state is, so that many of its transactions fail.
 */
export class Changes {
  readonly counts: ChangeCounts = { ...NO_CHANGES }
  readonly #random: SeededRandom
  readonly #chain: () => ChainView
  /** Validators of genesis and their number. */
  readonly #nodeCount: number
  readonly #spareCount: number
  #registered = 0

  constructor(random: SeededRandom, nodeCount: number, spareCount: number, chain: () => ChainView) {
    this.#random = random
    this.#nodeCount = nodeCount
    this.#spareCount = spareCount
    this.#chain = chain
  }

  /** The governor's next transaction. */
  next(nonce: number): Uint8Array {
    const [name, ...args] = this.#change()
    const { selector, inputs } = functions.get(name)!
    const data = unwrap(encodeWithSelector(simCrypto, selector, inputs, args.map(valueOf)))
    return signed(governor, nonce, { to: SYSTEM_ADDRESS, value: 0n, data, gas: CHANGE_GAS })
  }

  #change(): readonly [name: string, ...args: unknown[]] {
    const random = this.#random
    // Each spare node is registered first.
    if (this.#registered < this.#spareCount) return ['setNode', `spare-${this.#registered++}`, 'validator', FIRST, []]
    const kind = random.pick(KINDS)
    this.counts[kind]++
    switch (kind) {
      case 'power':
        return ['setPower', this.#anyId(), random.below(4)]
      case 'added': {
        const spare = random.below(this.#spareCount)
        return [
          'addValidator',
          spareId(spare),
          FIRST,
          this.#key(spare),
          1 + random.below(2),
          governor.address,
          [`spare-${spare}`],
        ]
      }
      case 'ready': {
        const spare = random.below(this.#spareCount)
        const { domain, height } = this.#chain()
        const at = Math.max(1, height) as Height
        return ['ready', spareId(spare), at, this.#sign(spare, readyDigest(simCrypto, domain, spareId(spare), at))]
      }
      case 'rotated': {
        const spare = random.below(this.#spareCount)
        const index = random.below(this.#nodeCount)
        const { domain } = this.#chain()
        const id = validatorId(index)
        const digest = rotationDigest(simCrypto, domain, id, validatorKey(index).address)
        return ['rotateKey', id, this.#key(spare), this.#sign(spare, digest)]
      }
      case 'removed':
        return ['removeValidator', spareId(random.below(this.#spareCount))]
      case 'rules':
        return random.pick<readonly [string, ...unknown[]]>([
          ['setParameter', 'blockIntervalMs', 200 + random.below(200)],
          ['setParameter', 'validatorsMin', 1 + random.below(4)],
          ['setParameter', 'validatorsMax', 4 + random.below(4)],
          ['setPolicy', 'sending', random.pick(['open', 'open', 'members'])],
          ['setPolicy', 'deploying', random.pick(['open', 'members'])],
        ])
      default:
        return this.#roleChange()
    }
  }

  #roleChange(): readonly [name: string, ...args: unknown[]] {
    const random = this.#random
    if (random.chance(0.2)) return ['suspendOrganisation', FIRST, random.chance(0.3)]
    const expiry = random.chance(0.3) ? BigInt(1_800_000_000 + random.below(60)) : 0n
    const { address } = clientAccount(random.below(6))
    return [
      'setAccount',
      address,
      FIRST,
      random.pick([ROLES.sender, ROLES.sender | ROLES.deployer, ROLES.reader]),
      expiry,
      random.chance(0.2),
    ]
  }

  #anyId(): Hash {
    const index = this.#random.below(this.#nodeCount + this.#spareCount)
    return index < this.#nodeCount ? validatorId(index) : spareId(index - this.#nodeCount)
  }

  #key(spare: number): `0x${string}` {
    const publicKey = publicKeyOf(simCrypto.publicKey(validatorKey(this.#nodeCount + spare).secretKey)!)
    if (addressOfPublicKey(simCrypto, publicKey) === undefined) throw new Error('the key of a spare node is a key')
    return bytesToHex(publicKey)
  }

  #sign(spare: number, digest: Uint8Array): `0x${string}` {
    return bytesToHex(simCrypto.sign(digest, validatorKey(this.#nodeCount + spare).secretKey).signature)
  }
}

/** The chain contract's functions, with the selectors that the simulator's hash gives. */
const functions = new Map([...unwrap(compileAbi(simCrypto, CHAIN_ABI)).functions.values()].map((one) => [one.name, one]))

/** A value in the form that the ABI's encoder takes. */
const valueOf = (value: unknown): unknown => {
  if (typeof value === 'number') return BigInt(value)
  return typeof value === 'string' && value.startsWith('0x') && value.length !== 42 ? hexToBytes(value as Hash) : value
}

const KINDS = ['power', 'power', 'added', 'ready', 'ready', 'rotated', 'removed', 'rules', 'roles', 'roles'] as const

const validatorId = (index: number): Hash => idOfName(`v${index}`)!
const spareId = (spare: number): Hash => idOfName(`s${spare}`)!
