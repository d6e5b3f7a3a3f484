import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dataDir, readValidatorKey, type ValidatorKey, validatorKeyFile, validatorKeyOf } from '@quoin/node/keys'
import { CommandError, orFail } from '@quoin/node/process'
import {
  type Address,
  addressOfPublicKey,
  nobleCrypto as crypto,
  type Hash,
  Height,
  ok,
  POWER_MAX,
  type PublicKey,
  parseHex,
  readyDigest,
  rotationDigest,
} from '@quoin/protocol'
import { type PasswordOptions, readPassword } from '../keys/password.ts'
import { Chain, type Listed } from './chain.ts'
import { listOf, type Shown, shownValues, tableOf } from './shown.ts'
import { type Print, type ReadOptions, submit, type WriteOptions } from './submit.ts'
import { parseAddress, parseId, parseWhole } from './words.ts'

export async function listValidators(options: ReadOptions, print: Print): Promise<void> {
  const all = await new Chain(options.rpc).validators()
  if (options.json) return print(JSON.stringify(all, null, 2))
  const columns = ['shortName', 'organisation', 'power', 'powerNext', 'readyAt', 'address', 'peerIds']
  const heading = ['validator', 'organisation', 'power', 'in the next block', 'ready in block', 'key', 'nodes']
  print(
    tableOf(
      heading,
      all.map((entry) => columns.map((column) => entry[column] as Shown)),
    ),
  )
}

const noValidator = (name: string): CommandError =>
  new CommandError(`there is no validator ${name}: quoin validator list shows all`)

export async function showValidator(name: string, options: ReadOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const { exists, ...values } = await chain.view('validator', parseId(name, 'validator'))
  if (exists !== true) throw noValidator(name)
  const shown = { validator: name, ...shownValues(values, new Map()) }
  print(options.json ? JSON.stringify(shown, null, 2) : listOf(shown))
}

export interface ValidatorOptions extends WriteOptions {
  readonly organisation: string
  readonly publicKey: string
  readonly power: string
  readonly feeAddress?: string
  readonly node: readonly string[]
}

export async function addValidator(name: string, options: ValidatorOptions, print: Print): Promise<void> {
  const publicKey = parseHex(options.publicKey)
  if (publicKey?.length !== 34)
    throw new CommandError('--public-key must be 0x01 and a compressed key, 34 bytes: quoin keys prints it')
  const own = addressOfPublicKey(crypto, publicKey as PublicKey)
  if (own === undefined) throw new CommandError('--public-key is not a point on the curve secp256k1')
  const feeAddress = options.feeAddress === undefined ? own : parseAddress(options.feeAddress, '--fee-address')
  const [id, organisation] = [parseId(name, 'validator'), parseId(options.organisation, '--organisation')]
  const power = parseWhole(options.power, '--power', 0n, BigInt(POWER_MAX))
  const values = [id, organisation, publicKey, power, feeAddress, options.node]
  await submit(new Chain(options.rpc), { name: 'addValidator', values }, options, print)
}

export const setPower = (name: string, power: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(
    new Chain(options.rpc),
    { name: 'setPower', values: [parseId(name, 'validator'), parseWhole(power, 'power', 0n, BigInt(POWER_MAX))] },
    options,
    print,
  )

export const setFeeAddress = (name: string, address: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(
    new Chain(options.rpc),
    { name: 'setFeeAddress', values: [parseId(name, 'validator'), parseAddress(address, 'fee address')] },
    options,
    print,
  )

export const setPeerIds = (name: string, peerIds: readonly string[], options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'setPeerIds', values: [parseId(name, 'validator'), peerIds] }, options, print)

export const removeValidator = (name: string, options: WriteOptions, print: Print): Promise<void> =>
  submit(new Chain(options.rpc), { name: 'removeValidator', values: [parseId(name, 'validator')] }, options, print)

/** Where the key of a validator is. Its password is not that of `--key`. */
export interface ValidatorKeyOptions {
  readonly dataDir: string
  readonly validatorKey?: string
  readonly validatorPasswordFile?: string
}

function readKey(path: string, passwordFile: string | undefined): Promise<ValidatorKey> {
  const password: PasswordOptions = passwordFile === undefined ? {} : { passwordFile }
  return readValidatorKey(crypto, path, async () => ok(await readPassword(password, `Password of ${path}`))).then((read) =>
    orFail(read, 'validator key'),
  )
}

const idOf = ({ id }: Listed): Hash => String(id) as Hash

/** Signs that a validator's key is in use, in the block of the head. Anybody may bring the proof to the chain. */
export async function proveReady(
  name: string | undefined,
  options: WriteOptions & ValidatorKeyOptions,
  print: Print,
): Promise<void> {
  const chain = new Chain(options.rpc)
  const key = await readKey(options.validatorKey ?? dataDir(options.dataDir).validatorKey, options.validatorPasswordFile)
  const all = await chain.validators()
  const entry = all.find(({ address }) => address === key.address)
  if (entry === undefined)
    throw new CommandError(
      `no validator has the key ${key.address}: the governor adds one by quoin validator add, or its operator rotates to it`,
    )
  if (name !== undefined && entry['shortName'] !== name)
    throw new CommandError(`the key ${key.address} is not that of ${name}, but of ${String(entry['shortName'])}`)
  const [domain, height] = await Promise.all([chain.domain(), chain.height()])
  const { signature } = crypto.sign(readyDigest(crypto, domain, idOf(entry), Height(height)), key.secretKey)
  const values = [parseId(String(entry['shortName']), 'validator'), BigInt(height), signature]
  await submit(chain, { name: 'ready', values }, options, print)
}

export interface RotationOptions extends WriteOptions {
  /** A new file that the new key is written to. */
  readonly newKeyOut?: string
  /** A file with the new key. */
  readonly newKey?: string
  readonly validatorPasswordFile?: string
}

/** Puts a new key in the place of a validator's key. The new key signs. */
export async function rotateKey(name: string, options: RotationOptions, print: Print): Promise<void> {
  const chain = new Chain(options.rpc)
  const id = parseId(name, 'validator')
  const entry = (await chain.validators()).find(({ shortName }) => shortName === name)
  if (entry === undefined) throw noValidator(name)
  const { newKey, newKeyOut } = options
  if ((newKey === undefined) === (newKeyOut === undefined))
    throw new CommandError('a rotation needs the new key: add --new-key-out with a file to make one, or --new-key with its file')
  const key = newKey === undefined ? newValidatorKey() : await readKey(newKey, options.validatorPasswordFile)
  // Written before it is sent: a key that the chain knows and nobody has would stop the validator.
  if (newKeyOut !== undefined && !options.dryRun) await writeKey(newKeyOut, key)
  const domain = await chain.domain()
  const { signature } = crypto.sign(
    rotationDigest(crypto, domain, idOf(entry), String(entry['address']) as Address),
    key.secretKey,
  )
  await submit(chain, { name: 'rotateKey', values: [id, key.publicKey, signature] }, options, print)
  if (newKeyOut !== undefined && !options.dryRun && !options.json)
    print(
      `The new key is in ${newKeyOut}. When quoin validator list shows it with power in the next block, stop the node, put the file in the place of its validator-key.json, and start it with --new-sign-state.`,
    )
}

const newValidatorKey = (): ValidatorKey => orFail(validatorKeyOf(crypto, new Uint8Array(randomBytes(32))), 'new key')

/** For its owner alone. Never replaces a file. */
const writeKey = (path: string, key: ValidatorKey): Promise<void> =>
  writeFile(path, validatorKeyFile(key), { mode: 0o600, flag: 'wx' })
