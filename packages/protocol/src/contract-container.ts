import { bytesToHex, bytesToNumber, numberToBytes, parseUtf8, utf8ToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import { type Abi, formatAbi, parseAbiText } from './contract-abi.ts'
import { LIMITS } from './limits.ts'
import { err, ok, type Result } from './result.ts'

/**
 * The code of a contract on this chain: the `code` of its account and the result of eth_getCode.
 *
 *     0xef51 ‖ version (1 byte) ‖ length of the whole container (4 bytes) ‖ fields
 *
 * A deployment is a transaction without `to`. Its data is a container followed by the constructor's arguments. This is how deployContract of viem
 * and ethers encodes a deployment from `abi` and `bytecode`, so both work without changes.
 *
 * No container can be mistaken for EVM code, because no EVM code begins with 0xef (EIP-3541). After 0xef, EOF has 00 (EIP-3540) and a delegation
 * has 0100 (EIP-7702).
 *
 * The ABI is canonical JSON text and not a binary format of our own. It takes two or three kilobytes of a larger container, which are paid for once,
 * and any tool that has the code can read it without a special decoder.
 */
export interface ContractContainer {
  readonly upgradeAuthority: UpgradeAuthority
  /** Selectors of the functions that may be called while the contract is already on the call stack. Ascending, without duplicates. */
  readonly reentrantSelectors: readonly number[]
  /** Name and version of the tool that produced the source. For information only. Printable ASCII. */
  readonly compiler: string
  /** One ECMAScript module without imports. */
  readonly source: string
  readonly abi: Abi
  /** Source map from `source` to the author's files. Nodes do not read it. Empty if there is none. */
  readonly sourceMap: Uint8Array
}

/** Who may replace the code: nobody, the creator, or another account. The creator is the sender of the transaction or the creating contract. */
export type UpgradeAuthority = codec.Infer<typeof upgradeAuthorityCodec>

export interface DecodedContainer {
  readonly container: ContractContainer
  /** The bytes of the container, which are stored as the code. */
  readonly code: Uint8Array
  /** The bytes after the container. */
  readonly constructorArguments: Uint8Array
}

/** `code` names the invalid part. `message` is the same on every machine, because it becomes part of the receipt of a failed deployment. */
export interface ContainerError {
  readonly code: 'magic' | 'version' | 'length' | 'fields' | 'source' | 'abi'
  readonly message: string
}

export const CONTAINER_MAGIC = 0xef51
export const CONTAINER_VERSION = 1
/** Magic, version and length. */
const HEAD_BYTES = 7
const COMPILER_CHARS_MAX = 128
const SELECTORS_MAX = 512

export const upgradeAuthorityCodec = codec.union({
  none: codec.struct({}),
  deployer: codec.struct({}),
  account: codec.struct({ address: codec.address }),
})

const fieldsCodec = codec.struct({
  upgradeAuthority: upgradeAuthorityCodec,
  reentrantSelectors: codec.checked(codec.list(codec.u32(), SELECTORS_MAX), (selectors) =>
    selectors.every((selector, i) => i === 0 || selectors[i - 1]! < selector)
      ? undefined
      : 'reentrantSelectors must be ascending, without duplicates',
  ),
  compiler: codec.ascii(COMPILER_CHARS_MAX),
  source: codec.bytes(LIMITS.containerBytesMax),
  abi: codec.bytes(LIMITS.containerBytesMax),
  sourceMap: codec.bytes(LIMITS.containerBytesMax),
})

/** Whether data begins with the magic 0xef51. Checks nothing else. */
export const isContainer = (data: Uint8Array): boolean => data[0] === CONTAINER_MAGIC >> 8 && data[1] === (CONTAINER_MAGIC & 0xff)

/**
 * Encodes a container.
 *
 * @throws RangeError if it exceeds a limit, or if the source has a lone surrogate, which UTF-8 cannot encode.
 */
export function encodeContainer(container: ContractContainer): Uint8Array {
  const source = utf8ToBytes(container.source)
  if (parseUtf8(source) !== container.source) throw new RangeError('the source has a lone surrogate')
  const fields = codec.encode(fieldsCodec, { ...container, source, abi: utf8ToBytes(formatAbi(container.abi)) })
  const length = HEAD_BYTES + fields.length
  if (length > LIMITS.containerBytesMax)
    throw new RangeError(`the container has ${length} bytes, at most ${LIMITS.containerBytesMax} are allowed`)
  const bytes = new Uint8Array(length)
  bytes.set(numberToBytes(CONTAINER_MAGIC, 2))
  bytes[2] = CONTAINER_VERSION
  bytes.set(numberToBytes(length, 4), 3)
  bytes.set(fields, HEAD_BYTES)
  return bytes
}

/**
 * Length of the container with which data begin, from its head. Checks nothing else.
 *
 * @param data the code of an account, or the data of a deployment.
 */
export function containerLength(data: Uint8Array): Result<number, ContainerError> {
  if (!isContainer(data))
    return fault('magic', `data begins with ${bytesToHex(data.subarray(0, 2))}, but contract code begins with 0xef51`)
  if (data[2] !== CONTAINER_VERSION) return fault('version', `container version ${data[2] ?? 'missing'} is not supported`)
  if (data.length < HEAD_BYTES) return fault('length', 'the container is too short to have a length')
  const length = bytesToNumber(data.subarray(3, HEAD_BYTES))!
  if (length > LIMITS.containerBytesMax)
    return fault('length', `the container claims ${length} bytes, at most ${LIMITS.containerBytesMax} are allowed`)
  if (length < HEAD_BYTES || length > data.length)
    return fault('length', `the container claims ${length} bytes, the data has ${data.length}`)
  return ok(length)
}

/**
 * Decodes a container and the constructor's arguments after it.
 *
 * @param data the code of an account, or the data of a deployment.
 * @returns copies of the bytes of `data`.
 */
export function decodeContainer(data: Uint8Array): Result<DecodedContainer, ContainerError> {
  const measured = containerLength(data)
  if (!measured.ok) return measured
  const length = measured.value
  const fields = codec.decode(fieldsCodec, data.subarray(HEAD_BYTES, length))
  if (!fields.ok) return fault('fields', `container: ${fields.error.message}`)
  const source = parseUtf8(fields.value.source)
  if (source === undefined) return fault('source', 'the source is not UTF-8')
  const abiText = parseUtf8(fields.value.abi)
  if (abiText === undefined) return fault('abi', 'the abi is not UTF-8')
  const abi = parseAbiText(abiText)
  if (!abi.ok) return abi
  return ok({
    container: { ...fields.value, source, abi: abi.value },
    code: new Uint8Array(data.subarray(0, length)),
    constructorArguments: new Uint8Array(data.subarray(length)),
  })
}

const fault = (code: ContainerError['code'], message: string): Result<never, ContainerError> => err({ code, message })
