import { bytesToHex, bytesToNumber, numberToBytes, parseUtf8, utf8ToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import { type Abi, formatAbi, parseAbiText } from './contract-abi.ts'
import { LIMITS } from './limits.ts'
import { err, ok, type Result } from './result.ts'

/**
 * What a contract's code is on this chain: the `code` of its account and the answer of eth_getCode. A deployment is a transaction without
 * `to` whose data is a container and, behind it, the constructor's arguments, so that viem's and ethers' deployContract make one from
 * `abi` and `bytecode` as they are.
 *
 *     0xef51 ‖ version (1 byte) ‖ length of the whole container (4 bytes) ‖ fields
 *
 * 0xef is no instruction of the EVM (EIP-3541), so that no container passes for EVM code; behind it, EOF has 00 (EIP-3540) and a
 * delegation 0100 (EIP-7702).
 *
 * The ABI is JSON text in its one canonical form rather than a binary form of ours: it is two or three kilobytes of a container that is
 * larger, paid for once, and any tool that has the code reads it without a decoder of ours.
 */
export interface ContractContainer {
  readonly upgradeAuthority: UpgradeAuthority
  /** Functions that may be entered again while a call of the contract is under way: selectors, ascending. */
  readonly reentrantSelectors: readonly number[]
  /** What made the source, for people. Printable ASCII. */
  readonly compiler: string
  /** One ECMAScript module that imports nothing. */
  readonly source: string
  readonly abi: Abi
  /** From positions of the source to the author's files. Nodes do not read it. Empty when there is none. */
  readonly sourceMap: Uint8Array
}

/** Who may replace the code. `deployer` is the account that sent, or the contract that made, the creation. */
export type UpgradeAuthority = codec.Infer<typeof upgradeAuthorityCodec>

export interface DecodedContainer {
  readonly container: ContractContainer
  /** The container's own bytes: what is stored as the code. */
  readonly code: Uint8Array
  /** What follows it. */
  readonly constructorArguments: Uint8Array
}

/** Part at fault, and the fault in words that are the same on every machine. */
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

const upgradeAuthorityCodec = codec.union({
  none: codec.struct({}),
  deployer: codec.struct({}),
  account: codec.struct({ address: codec.address }),
})

const fieldsCodec = codec.struct({
  upgradeAuthority: upgradeAuthorityCodec,
  reentrantSelectors: codec.checked(codec.list(codec.u32(), SELECTORS_MAX), (selectors) =>
    selectors.every((selector, i) => i === 0 || selectors[i - 1]! < selector) ? undefined : 'the selectors do not ascend',
  ),
  compiler: codec.ascii(COMPILER_CHARS_MAX),
  source: codec.bytes(LIMITS.containerBytesMax),
  abi: codec.bytes(LIMITS.containerBytesMax),
  sourceMap: codec.bytes(LIMITS.containerBytesMax),
})

/** Whether code or creation data claims to be a container. */
export const isContainer = (data: Uint8Array): boolean => data[0] === CONTAINER_MAGIC >> 8 && data[1] === (CONTAINER_MAGIC & 0xff)

/** The container's bytes. Throws RangeError when it breaks a limit, or holds text that UTF-8 cannot carry. */
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

/** The container at the beginning of a deployment's data, and the arguments behind it. */
export function decodeContainer(data: Uint8Array): Result<DecodedContainer, ContainerError> {
  if (!isContainer(data)) return fault('magic', `data begins with ${bytesToHex(data.subarray(0, 2))}, a contract with 0xef51`)
  if (data[2] !== CONTAINER_VERSION) return fault('version', `container version ${data[2] ?? 'missing'} is not supported`)
  if (data.length < HEAD_BYTES) return fault('length', 'the container has no length')
  const length = bytesToNumber(data.subarray(3, HEAD_BYTES))!
  if (length > LIMITS.containerBytesMax)
    return fault('length', `the container claims ${length} bytes, at most ${LIMITS.containerBytesMax} are allowed`)
  if (length < HEAD_BYTES || length > data.length)
    return fault('length', `the container claims ${length} bytes, the data has ${data.length}`)
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
