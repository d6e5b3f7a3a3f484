import type { Consortium, RegisteredNode, ValidatorSet } from '@quoin/protocol'
import {
  addressOfPublicKey,
  bytesToHex,
  type Crypto,
  createValidatorSet,
  type Hash,
  idOfName,
  Power,
  type PublicKey,
  parseHex,
  SHORT_NAME_RULE,
  ungovernedConsortium,
  type Validator,
} from '@quoin/protocol'
import { z } from 'zod'
import { parsePeerId } from '../network/node-key.ts'
import { CommandError } from './failure.ts'

const shortName = z.string().refine((text) => idOfName(text) !== undefined, `must be ${SHORT_NAME_RULE}`)

/**
 * The description of a node that an organisation publishes so that the node can be included in a genesis. `quoin keys` prints one,
 * `quoin genesis` takes several.
 */
export const validatorEntry = z.strictObject({
  /** Names the validator on the chain for as long as it exists. `validator-` and its position in the list by default. */
  name: shortName.optional(),
  /** The organisation whose validator it is. One of the validator's own name by default. */
  organisation: shortName.optional(),
  publicKey: z
    .string()
    .regex(/^0x01[0-9a-f]{66}$/i, 'must be 0x01 followed by the 33 bytes of a compressed secp256k1 public key, in hex'),
  power: z
    .int()
    .min(1)
    .max(2 ** 32)
    .default(1),
  feeAddress: z
    .string()
    .regex(/^0x[0-9a-f]{40}$/i, 'must be an address: 0x and 40 hex digits')
    .optional(),
  peerId: z.string().refine((text) => parsePeerId(text) !== undefined, 'must be a libp2p peer id'),
  /** Multiaddresses at which other nodes reach this one. */
  addresses: z
    .array(
      z.string().regex(/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d+$/, 'must be a multiaddress such as /ip4/10.0.0.1/tcp/26656'),
    )
    .min(1),
})

export type ValidatorEntry = z.output<typeof validatorEntry>

/**
 * Parses a JSON list of entries.
 *
 * @param where - Prefix of messages: the file.
 * @throws {CommandError} Names the place in the list and what is wrong.
 */
export const parseEntries = (text: string, where: string): readonly ValidatorEntry[] =>
  parse(z.array(validatorEntry).min(1, 'must list at least one validator'), text, where)

/**
 * Parses one entry in JSON.
 *
 * @param where - Prefix of messages: the option.
 * @throws {CommandError} Names the field and what is wrong.
 */
export const parseEntry = (text: string, where: string): ValidatorEntry => parse(validatorEntry, text, where)

function parse<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (failure) {
    throw new CommandError(`${where} is not valid JSON: ${(failure as Error).message}`)
  }
  const result = schema.safeParse(document)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new CommandError(`${where}: [${issue.path.join('.')}] ${issue.message}`)
}

/**
 * Builds the validator set and node registry of a genesis, and a consortium of the organisations that the entries name, which nobody governs.
 *
 * @throws {CommandError} If a public key is invalid, or two entries have the same name, public key or peer id.
 */
export function fromEntries(
  crypto: Crypto,
  entries: readonly ValidatorEntry[],
): { readonly validators: ValidatorSet; readonly nodes: readonly RegisteredNode[]; readonly consortium: Consortium } {
  const validators = entries.map((entry, i): Validator => {
    const publicKey = parseHex(entry.publicKey) as PublicKey
    const address = addressOfPublicKey(crypto, publicKey)
    if (address === undefined)
      throw new CommandError(`validator ${i} (${entry.name ?? entry.publicKey}): publicKey is not a point on the secp256k1 curve`)
    return {
      id: idOf(nameOf(entry, i)),
      publicKey,
      address,
      power: Power(entry.power),
      feeAddress: (entry.feeAddress?.toLowerCase() ?? address) as Validator['feeAddress'],
    }
  })
  refuseTwice(entries, 'publicKey')
  refuseTwice(entries, 'peerId')
  const names = entries.map(nameOf)
  names.forEach((name, i) => {
    if (names.indexOf(name) < i)
      throw new CommandError(`validators ${names.indexOf(name)} and ${i} have the same name: give each another one`)
  })
  const organisations = entries.map((entry, i) => idOf(entry.organisation ?? names[i]!))
  const nodes = entries.map(
    ({ peerId, addresses }, i): RegisteredNode => ({
      peerId,
      kind: 'validator',
      organisation: organisations[i]!,
      addresses,
    }),
  )
  const seats = entries.map(({ peerId }, i) => ({ id: idOf(names[i]!), organisation: organisations[i]!, peerIds: [peerId] }))
  return {
    validators: createValidatorSet(validators),
    nodes: nodes.sort((a, b) => (a.peerId < b.peerId ? -1 : 1)),
    consortium: ungovernedConsortium(seats),
  }
}

const nameOf = ({ name }: ValidatorEntry, index: number): string => name ?? `validator-${index}`

/** The id of a name that the schema has checked. */
const idOf = (name: string): Hash => idOfName(name)!

function refuseTwice(entries: readonly ValidatorEntry[], field: 'publicKey' | 'peerId'): void {
  entries.forEach((entry, i) => {
    const first = entries.findIndex((other) => other[field].toLowerCase() === entry[field].toLowerCase())
    if (first < i) throw new CommandError(`validators ${first} and ${i} have the same ${field}: remove one of them`)
  })
}

export const entryOf = (publicKey: Uint8Array, peerId: string, addresses: readonly string[]): ValidatorEntry => ({
  publicKey: bytesToHex(publicKey),
  power: 1,
  peerId,
  addresses: [...addresses],
})
