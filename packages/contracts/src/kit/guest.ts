import type { Address } from './value-types.ts'

/** A value that a contract exchanges with the host: bigint, boolean, string, Uint8Array, and arrays and plain objects of them. */
export type GuestValue = unknown

/** The block that contains the call. */
export interface Block {
  readonly number: bigint
  /** Seconds since 1970. */
  readonly timestamp: bigint
  /** The same time in milliseconds. */
  readonly milliseconds: bigint
  readonly gasLimit: bigint
  readonly baseFee: bigint
  /** Fee address of the block's proposer. */
  readonly proposer: Address
}

/** Options of a call to another contract. */
export interface CallOptions {
  /** Wei to send. */
  readonly value?: bigint
  /** Gas limit of the callee. */
  readonly gas?: bigint
}

/** The global `quoin` of a contract: its whole interface to the chain (docs/contracts.md). */
export interface Guest {
  readonly sender: Address
  readonly value: bigint
  readonly self: Address
  readonly chainId: bigint
  readonly block: Block
  readonly gasLeft: bigint
  load(type: string, key: string | Uint8Array): GuestValue
  store(type: string, key: string | Uint8Array, value: GuestValue): void
  has(key: string | Uint8Array): boolean
  remove(key: string | Uint8Array): void
  emit(event: string, ...values: readonly GuestValue[]): void
  revert(error: string, ...values: readonly GuestValue[]): never
  call(to: Address, signature: string, values: readonly GuestValue[], options?: CallOptions): GuestValue
  staticCall(to: Address, signature: string, values: readonly GuestValue[], options?: Omit<CallOptions, 'value'>): GuestValue
  callRaw(to: Address, data: Uint8Array, options?: CallOptions): Uint8Array
  staticCallRaw(to: Address, data: Uint8Array, options?: Omit<CallOptions, 'value'>): Uint8Array
  transfer(to: Address, amount: bigint): void
  create(container: Uint8Array, encodedArguments?: Uint8Array, options?: CallOptions): Address
  create2(container: Uint8Array, salt: Uint8Array, encodedArguments?: Uint8Array, options?: CallOptions): Address
  clone(of: Address | Uint8Array, encodedArguments?: Uint8Array, options?: CallOptions): Address
  clone2(of: Address | Uint8Array, salt: Uint8Array, encodedArguments?: Uint8Array, options?: CallOptions): Address
  balanceOf(account: Address): bigint
  codeAt(account: Address): Uint8Array
  keccak256(data: Uint8Array): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  ecrecover(digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array): Address | undefined
  recoverSigner(digest: Uint8Array, signature: Uint8Array): Address
  abiEncode(types: string, values: readonly GuestValue[]): Uint8Array
  abiEncodePacked(types: string, values: readonly GuestValue[]): Uint8Array
  abiDecode(types: string, data: Uint8Array): readonly GuestValue[]
  typedDataDigest(encodeType: string, domain: GuestValue, message: GuestValue): Uint8Array
  verifySortedProof(root: Uint8Array, leaf: Uint8Array, nodes: Uint8Array): boolean
  verifyOrderedProof(root: Uint8Array, item: Uint8Array, index: bigint, count: bigint, nodes: Uint8Array): boolean
  formatAddress(bytes: Uint8Array): Address
  parseAddress(text: string): Uint8Array
  compareBytes(a: Uint8Array, b: Uint8Array): bigint
  concatBytes(parts: readonly Uint8Array[]): Uint8Array
  encodeUtf8(text: string): Uint8Array
  decodeUtf8(bytes: Uint8Array): string
  encodeHex(bytes: Uint8Array): string
  decodeHex(text: string): Uint8Array
}
