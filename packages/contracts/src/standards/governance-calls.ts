import {
  type Address,
  abiEncode,
  address,
  type ContextOf,
  callRaw,
  compareBytes,
  encodeUtf8,
  keccak256,
  part,
} from '../kit/index.ts'

/** Calls of one proposal. */
export const GOVERNANCE_CALLS_MAX = 16n
/** Bytes of the data of all calls of a proposal. They fit into a transaction of the lane, which has 4,000,000 gas. */
export const GOVERNANCE_CALL_BYTES_MAX = 49_152n
/** Bytes of a failed call's error that fit into an error together with the call's index. */
export const GOVERNANCE_ERROR_BYTES_MAX = 896

/** The chain contract (`docs/permissions.md`). */
export const CHAIN: Address = address('0x00000000000000000000000000000051756f696e')

/** A call that a proposal makes. */
export interface Call {
  readonly target: Address
  readonly value: bigint
  readonly data: Uint8Array
}

export const callsBoard = part({
  abi: [
    'error GovernanceInvalidCalls(string why)',
    /** The call with this index failed, with this error; empty if it has none or it is too large to be passed on. */
    'error GovernanceCallFailed(uint256 index, bytes data)',
  ],
  state: {},
})

type Context = ContextOf<typeof callsBoard>

/** Hash of calls, by which a proposal knows them. Outside: keccak256 of their ABI encoding as `(address,uint256,bytes)[]`. */
export const hashCalls = (calls: readonly Call[]): Uint8Array =>
  keccak256(abiEncode('(address,uint256,bytes)[]', [calls.map(({ target, value, data }) => [target, value, data])]))

const SUSPEND = keccak256(encodeUtf8('suspendOrganisation(bytes32,bool)')).slice(0, 4)
const WORD_BYTES = 32

/**
 * The organisation that a call suspends, or undefined. The chain contract ignores bytes after the arguments, so they do not hide a
 * suspension, and a flag that is not zero counts as true.
 */
function suspendedIn({ target, data }: Call): Uint8Array | undefined {
  const end = SUSPEND.length + 2 * WORD_BYTES
  if (target !== CHAIN || data.length < end || compareBytes(data.slice(0, SUSPEND.length), SUSPEND) !== 0n) return undefined
  const flag = data.slice(SUSPEND.length + WORD_BYTES, end)
  return flag.some((byte) => byte !== 0) ? data.slice(SUSPEND.length, SUSPEND.length + WORD_BYTES) : undefined
}

/**
 * Checks the bounds of a proposal's calls. Returns the organisation whose suspension is proposed, which has no vote on it. Such a proposal
 * makes no other call: else a minority could suspend all others in one proposal, and decide anything in it alone.
 */
export function checkCalls({ revert }: Context, calls: readonly Call[]): Uint8Array | undefined {
  const { length } = calls
  if (length === 0) throw revert.GovernanceInvalidCalls('there are no calls')
  if (BigInt(length) > GOVERNANCE_CALLS_MAX)
    throw revert.GovernanceInvalidCalls(`there are ${length} calls, at most ${GOVERNANCE_CALLS_MAX} are allowed`)
  const bytes = calls.reduce((sum, { data }) => sum + data.length, 0)
  if (BigInt(bytes) > GOVERNANCE_CALL_BYTES_MAX)
    throw revert.GovernanceInvalidCalls(`the calls have ${bytes} bytes of data, at most ${GOVERNANCE_CALL_BYTES_MAX} are allowed`)
  const suspended = calls.map(suspendedIn).find((organisation) => organisation !== undefined)
  if (suspended !== undefined && length > 1)
    throw revert.GovernanceInvalidCalls('a proposal that suspends an organisation must not make another call')
  return suspended
}

/** Makes the calls in order. The first that fails reverts all of them and is named. */
export function makeCalls({ revert }: Context, calls: readonly Call[]): void {
  calls.forEach(({ target, value, data }, index) => {
    try {
      callRaw(target, data, { value })
    } catch (error) {
      const reason = (error as { readonly data?: Uint8Array }).data ?? new Uint8Array(0)
      throw revert.GovernanceCallFailed(BigInt(index), reason.length > GOVERNANCE_ERROR_BYTES_MAX ? new Uint8Array(0) : reason)
    }
  })
}
