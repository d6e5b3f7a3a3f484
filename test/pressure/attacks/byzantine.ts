import { randomBytes } from 'node:crypto'
import { nobleCrypto, unwrap } from '@quoin/protocol'
import { developmentValidatorKey } from '../../../packages/node/src/keys/development.ts'
import { validatorKeyOf } from '../../../packages/node/src/keys/validator-key.ts'
import { readGenesisFile } from '../../../packages/node/src/validator/genesis-file.ts'
import { type Flood, Flooder } from '../../e2e/flooder.ts'
import { identityName } from '../processes/identities.ts'
import type { Attack, Stage } from './attack.ts'
import { untilAborted } from './attack.ts'

/** More than any block can have, and far below what a message can hold. */
const TRANSACTIONS_TOO_MANY = 20_000
/** Bytes per turn of 10 ms, to each victim. */
const TURN_BYTES = 300 * 1024

export const BYZANTINE_ATTACKS = {
  tooMany: 'Byzantine validator: proposals with 20,000 unknown transactions',
  largest: 'Byzantine validator: the largest proposals, of unknown transactions',
  votes: 'Byzantine validator: votes of all rounds',
  garbage: 'Byzantine validator: garbage',
} as const

/** Uses the key of the fourth validator, which is down, and sends as much as its connections take. */
const flood =
  (name: string, make: Flood) =>
  async (stage: Stage): Promise<() => Promise<void>> => {
    const { prepared, round, signal, tally } = stage
    const key = unwrap(validatorKeyOf(nobleCrypto, developmentValidatorKey(nobleCrypto, 3)))
    const flooder = await Flooder.create(identityName(name, round), key)
    await flooder.join(await readGenesisFile(prepared.genesisPath), prepared.genesisHash as Parameters<Flooder['join']>[1])
    return async () => {
      flooder.flood(make, TURN_BYTES)
      await untilAborted(signal)
      tally.add('kB sent', Math.round(flooder.sentBytes / 1_000))
      tally.add(flooder.isCutOff ? 'cut off by all' : 'still connected')
    }
  }

/** Every fourth block waits for the timeout of the proposer that is down, so a few blocks more or less in a phase change the mean. */
const UNEVEN = { stretch: 2, noiseMs: 400 } as const

const attack = (name: string, what: string, make: Flood): Attack => ({
  ...{ name, what: `a peer with the key of one of four validators sends ${what}, up to 30 MB a second to each of the others` },
  ...{ front: 'network', withoutFourth: true },
  ...UNEVEN,
  prepare: flood(name, make),
})

export const byzantineAttacks: readonly Attack[] = [
  attack(
    BYZANTINE_ATTACKS.tooMany,
    'proposals of this and the next heights with 20,000 transactions that nobody has',
    (flooder) => flooder.proposals(TRANSACTIONS_TOO_MANY),
  ),
  attack(
    BYZANTINE_ATTACKS.largest,
    'proposals of this and the next heights with as many transactions as a block can have, none of which anybody has',
    (flooder) => flooder.proposals(),
  ),
  attack(BYZANTINE_ATTACKS.votes, 'votes of 80 rounds of this and the next heights', (flooder) => flooder.votes()),
  attack(BYZANTINE_ATTACKS.garbage, 'garbage', () => Array.from({ length: 8 }, () => randomBytes(500_000))),
]
