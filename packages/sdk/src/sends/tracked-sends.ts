import {
  type Abi,
  type Account,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionParameters,
  encodeFunctionData,
  type Hex,
} from 'viem'
import { unlessAborted } from '../aborts.ts'
import type { Store } from '../store/store.ts'
import type { SendsClient } from './chain.ts'
import { type Decoder, Entry } from './entry.ts'
import { SendIdConflictError } from './errors.ts'
import { type Call, fingerprintOf } from './record.ts'
import { type Send, SendHandle } from './send.ts'
import { Tracker } from './sends.ts'

/** Limits of one key in one process. Times in ms. */
export const SEND_DEFAULTS = {
  /** From the signature until a block's time ends the send. */
  deadlineMs: 120_000,
  /** Signed sends that are not in a block. A node keeps 256 behind a missing nonce. */
  inFlightMax: 64,
  /** Unfinished sends in the memory of this process. */
  queuedMax: 1_024,
  /** Between two looks at the chain while sends are under way, at most: an eighth of the time since the oldest of them was signed. */
  pollingIntervalMs: 100,
} as const

export interface TrackedSendsOptions {
  /** Any viem client of the chain, with any transport. */
  readonly client: SendsClient
  /** An account that signs here, such as `privateKeyToAccount(key)`. Other software must not send with its key. */
  readonly account: Account
  readonly store: Store
  /** Time that a send has, unless it says otherwise: 2 minutes if missing. */
  readonly deadlineMs?: number
  /** Signed sends that are not in a block yet, at most: 64 if missing. Others wait. */
  readonly inFlightMax?: number
  /** Unfinished sends of this process, at most: 1,024 if missing. More are refused with a SendQueueFullError. */
  readonly queuedMax?: number
  /** Between two looks at the chain while sends are under way, at most: 100 if missing. The first looks follow each other faster. */
  readonly pollingIntervalMs?: number
}

export interface SendSettings {
  /** Makes the send idempotent: the same call under the same id is the same send, also after a restart. Another call is a SendIdConflictError. */
  readonly id?: string
  /** The send expires when a block is this much later than its signature. */
  readonly deadlineMs?: number
  /** Gas limit. Estimated if missing. */
  readonly gas?: bigint
  /** Before the signature it cancels the send; afterwards it only ends the waits of this caller. */
  readonly signal?: AbortSignal
}

export interface SendTransactionParameters extends SendSettings {
  /** Missing or null creates a contract. */
  readonly to?: Address | null
  readonly data?: Hex
  readonly value?: bigint
}

type Mutability = 'nonpayable' | 'payable'

export type WriteContractParameters<
  abi extends Abi | readonly unknown[],
  name extends ContractFunctionName<abi, Mutability>,
  args extends ContractFunctionArgs<abi, Mutability, name>,
> = ContractFunctionParameters<abi, Mutability, name, args> & SendSettings & { readonly value?: bigint }

/** Sends of one key that survive crashes: each is included at most once, and ends with a receipt or a typed reason. */
export interface TrackedSends {
  /** Like viem's `writeContract`, tracked. Sends go in the order of the calls. */
  writeContract<
    const abi extends Abi | readonly unknown[],
    name extends ContractFunctionName<abi, Mutability>,
    args extends ContractFunctionArgs<abi, Mutability, name>,
  >(parameters: WriteContractParameters<abi, name, args>): Send
  /** Like viem's `sendTransaction`, tracked. */
  sendTransaction(parameters: SendTransactionParameters): Send
  /** The unfinished sends of the store. Call it at the start: they go on from then. Waits until a node says which chain it is, unless the signal ends the wait. */
  resume(options?: { readonly signal?: AbortSignal }): Promise<readonly Send[]>
  /** The send of an id. The last 1,024 finished ones are remembered. Waits as `resume` does. */
  get(id: string, options?: { readonly signal?: AbortSignal }): Promise<Send | undefined>
  /** Ends the work here. Unfinished sends stay in the store and go on elsewhere, or at the next start. */
  close(): Promise<void>
}

/**
 * Sends with the key of `account`, whose progress is in `store`. Tabs and processes with the same store share the key: one signs and sends for
 * all, another takes over when it ends. Starts with the first send or `resume`.
 *
 * @throws SendError of reason `account` for an account that does not sign here
 */
export function trackedSends(options: TrackedSendsOptions): TrackedSends {
  const tracker = new Tracker({ ...SEND_DEFAULTS, ...options })
  const handle = (entry: Entry, signal?: AbortSignal): Send => new SendHandle(entry, () => tracker.cancel(entry), signal)

  const start = (call: Call, settings: SendSettings, decoder: Decoder | undefined): Send => {
    const { id = randomId(), gas, deadlineMs = tracker.defaultDeadlineMs, signal } = settings
    const fingerprint = fingerprintOf(call)
    const isAdmitted = settings.id === undefined
    const entry = new Entry({ id, call, fingerprint, gas, deadlineMs, decoder, isAdmitted })
    const known = tracker.entry(id)
    if (known !== undefined && known.fingerprint === fingerprint) return handle(known, signal)
    if (known !== undefined) entry.fail(new SendIdConflictError(id))
    else tracker.add(entry)
    return handle(entry, signal)
  }

  return {
    writeContract(parameters) {
      const {
        abi,
        address,
        functionName,
        args,
        value = 0n,
      } = parameters as unknown as {
        readonly abi: Abi
        readonly address: Address
        readonly functionName: string
        readonly args?: readonly unknown[]
        readonly value?: bigint
      }
      const data = encodeFunctionData({ abi, functionName, args })
      return start({ to: address, data, value }, parameters, { abi, functionName, args })
    },
    sendTransaction(parameters) {
      const { to = null, data = '0x', value = 0n } = parameters
      return start({ to, data, value }, parameters, undefined)
    },
    async resume({ signal } = {}) {
      return (await unlessAborted(tracker.resume(), signal)).map((entry) => handle(entry))
    },
    async get(id, { signal } = {}) {
      const entry = await unlessAborted(tracker.find(id), signal)
      return entry === undefined ? undefined : handle(entry)
    },
    close: () => tracker.close(),
  }
}

function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
