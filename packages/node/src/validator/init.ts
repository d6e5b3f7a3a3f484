import { constants } from 'node:fs'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { crc32c } from '@node-rs/crc32'
import { type Address, type Crypto, nobleCrypto } from '@quoin/protocol'
import { configTemplate, loadConfig } from '../config/index.ts'
import { createSignState } from '../engine/last-sign-state.ts'
import { type DataDir, dataDir } from '../keys/data-dir.ts'
import { DEVELOPMENT_VALIDATORS_MAX, developmentNodeSeed, developmentValidatorKey } from '../keys/development.ts'
import { type NodeKeys, readKeys, writeKeys } from '../keys/node-files.ts'
import { validatorKeyOf } from '../keys/validator-key.ts'
import { passwordIn } from '../keys/validator-key-file.ts'
import { createNodeKey } from '../network/node-key.ts'
import { openFileLog } from '../store/file-log.ts'
import { unlessMissing } from '../unless-missing.ts'
import { entryOf, type ValidatorEntry } from './entry.ts'
import { CommandError, orFail } from './failure.ts'
import { readGenesisFile } from './genesis-file.ts'
import { unreachableReason } from './reachable-address.ts'

export interface InitOptions {
  readonly dataDir: string
  /** Genesis to copy into the data directory. */
  readonly genesis: string | undefined
  /** Use the keys of the devnet's validator with this index instead of new ones. */
  readonly developmentIndex: number | undefined
  /** Multiaddress on which the node listens for peers. */
  readonly listen: string
  /** Multiaddress at which peers reach the node; undefined means `listen`. */
  readonly advertise: string | undefined
  /** The node belongs to a development network on one machine, so a loopback address is accepted. */
  readonly development: boolean
  readonly rpcPort: number
  readonly random: (length: number) => Uint8Array
}

/**
 * Creates a data directory: keys, configuration, sign state, and a copy of the genesis if one is given. Checks everything before it
 * writes, and never replaces a file.
 *
 * @throws {CommandError} If one of the files already exists, the address is not reachable by other nodes, or the genesis is invalid.
 */
export async function init(options: InitOptions): Promise<NodeKeys> {
  const dir = dataDir(options.dataDir)
  await requireNew(dir, options.genesis)
  const reason = unreachableReason(options.advertise ?? options.listen, options.development)
  if (reason !== undefined) throw new CommandError(`${options.advertise === undefined ? '--listen' : '--advertise'}: ${reason}`)
  if (options.genesis !== undefined) await readGenesisFile(options.genesis)
  const crypto = nobleCrypto
  const { random } = options
  const { secretKey, nodeKey } = await makeKeys(crypto, options)
  const validator = orFail(validatorKeyOf(crypto, secretKey), 'validator key')
  await writeKeys(dir, validator, nodeKey)
  await writeSignState(dir.signState, validator.address, random)
  await writeFile(dir.config, configTemplate(settingsOf(options)), { flag: 'wx' })
  if (options.genesis !== undefined) await copyFile(options.genesis, dir.genesis, constants.COPYFILE_EXCL)
  return orFail(await readKeys(crypto, dir, passwordIn('')), dir.root)
}

/** Refuses a directory that has one of the files already. A genesis that lies there may stay if none is to be copied. */
async function requireNew(dir: DataDir, genesis: string | undefined): Promise<void> {
  if (await exists(dir.validatorKey))
    throw new CommandError(`${dir.validatorKey} already exists: choose another --data-dir, or run quoin start with this one`)
  for (const path of [dir.nodeKey, dir.signState, dir.config]) {
    if (await exists(path))
      throw new CommandError(`${path} already exists, without a validator key: choose another --data-dir, or move the file away`)
  }
  if (genesis !== undefined && (await exists(dir.genesis)))
    throw new CommandError(`${dir.genesis} already exists: omit --genesis to keep it, or move the file away`)
}

/** Records that the new key has signed nothing. Without this file a start refuses the key, because it cannot know what the key signed. */
async function writeSignState(path: string, validator: Address, random: (length: number) => Uint8Array): Promise<void> {
  const file = await openFileLog(path)
  try {
    await createSignState({ file, crc32c: (bytes) => crc32c(bytes), random: { bytes: random } }, validator)
  } finally {
    await file.close()
  }
}

const settingsOf = ({ listen, advertise, rpcPort, development }: InitOptions): Readonly<Record<string, unknown>> => ({
  'rpc.port': rpcPort,
  ...(development ? DEVELOPMENT_SETTINGS : {}),
  'p2p.listen': [listen],
  ...(advertise === undefined ? {} : { 'p2p.advertise': [advertise] }),
})

/** Settings of a development node that shares its machine with others: open CORS, no rate limit, any free probe port. */
const DEVELOPMENT_SETTINGS = { 'rpc.cors-origins': ['*'], 'rpc.requests-per-minute': 0, 'health.port': 0 } as const

async function makeKeys(crypto: Crypto, { developmentIndex, random }: InitOptions) {
  if (developmentIndex === undefined) return { secretKey: newSecret(crypto, random), nodeKey: await createNodeKey() }
  if (!(developmentIndex >= 0 && developmentIndex < DEVELOPMENT_VALIDATORS_MAX)) {
    throw new CommandError(`--development-index must be an integer from 0 to ${DEVELOPMENT_VALIDATORS_MAX - 1}`)
  }
  return {
    secretKey: developmentValidatorKey(crypto, developmentIndex),
    nodeKey: await createNodeKey('Ed25519', developmentNodeSeed(crypto, developmentIndex)),
  }
}

/** 32 random bytes are an invalid key with a probability of about 2^-128. */
function newSecret(crypto: Crypto, random: (length: number) => Uint8Array): Uint8Array {
  const secret = random(32)
  if (crypto.publicKey(secret) === undefined) throw new Error('the random source returned an invalid secret key')
  return secret
}

const exists = async (path: string): Promise<boolean> => (await unlessMissing(stat(path))) !== undefined

/** The one variable that describing a node takes: where the password of its key is. */
const passwordVariable = () => ({ QUOIN_KEYS_PASSWORD_FILE: process.env['QUOIN_KEYS_PASSWORD_FILE'] })

export interface NodeDescription {
  /** Address of the validator key. */
  readonly address: Address
  readonly entry: ValidatorEntry
}

/** Describes the node of a data directory for the other organisations, in the form that `quoin genesis` takes. */
export async function describeKeys(root: string): Promise<NodeDescription> {
  const dir = dataDir(root)
  const config = orFail(
    loadConfig({ file: { name: dir.config, text: await readFile(dir.config, 'utf8') }, env: passwordVariable(), flags: {} }),
    root,
  )
  const keys = orFail(await readKeys(nobleCrypto, dir, passwordIn(config.keys['password-file'])), root)
  const { listen, advertise } = config.p2p
  const addresses = advertise.length > 0 ? advertise : listen
  return { address: keys.validator.address, entry: entryOf(keys.validator.publicKey, keys.node.peerId, addresses) }
}
