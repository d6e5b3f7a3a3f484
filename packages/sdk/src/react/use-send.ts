'use client'

import { useMutation } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import type { Abi, ContractFunctionArgs, ContractFunctionName, TransactionReceipt } from 'viem'
import { firstLine, QuoinError, toError } from '../errors.ts'
import type { SendUpdate } from '../sends/entry.ts'
import { SendError } from '../sends/errors.ts'
import type { Send } from '../sends/send.ts'
import type { SendTransactionParameters, TrackedSends, WriteContractParameters } from '../sends/tracked-sends.ts'

type Mutability = 'nonpayable' | 'payable'

/** A component takes a send back with `cancel`. */
type WithoutSignal = { readonly signal?: never }

/** What `useSend` gives. All of it is about the newest send of this hook. */
export interface UseSendResult {
  /**
   * Like viem's `writeContract`, tracked. What comes of it is in `update`, `status`, `data` and `error`.
   *
   * @throws QuoinError if the sends are not there yet
   */
  writeContract<
    const abi extends Abi | readonly unknown[],
    name extends ContractFunctionName<abi, Mutability>,
    args extends ContractFunctionArgs<abi, Mutability, name>,
  >(parameters: WriteContractParameters<abi, name, args> & WithoutSignal): void
  /** Like viem's `sendTransaction`, tracked. */
  sendTransaction(parameters: SendTransactionParameters & WithoutSignal): void
  /** Like `writeContract`. Resolves when the transaction is in a block; rejects with a SendError. */
  writeContractAsync<
    const abi extends Abi | readonly unknown[],
    name extends ContractFunctionName<abi, Mutability>,
    args extends ContractFunctionArgs<abi, Mutability, name>,
  >(parameters: WriteContractParameters<abi, name, args> & WithoutSignal): Promise<TransactionReceipt>
  /** Like `sendTransaction`. Resolves when the transaction is in a block; rejects with a SendError. */
  sendTransactionAsync(parameters: SendTransactionParameters & WithoutSignal): Promise<TransactionReceipt>
  /** The latest status of the send: `queued`, `signed`, `sent`, then `included` or `failed`, with its hash. */
  readonly update: SendUpdate | undefined
  readonly status: 'idle' | 'pending' | 'success' | 'error'
  readonly isIdle: boolean
  readonly isPending: boolean
  readonly isSuccess: boolean
  readonly isError: boolean
  /** With `success`. */
  readonly data: TransactionReceipt | undefined
  /** With `error`: `reason` says why. */
  readonly error: SendError | null
  /** Takes the send back. False if it is signed, or if there is none. */
  cancel(): Promise<boolean>
  /** Back to `idle`. A send that is under way goes on. */
  reset(): void
}

/** A send that began, or why it could not. */
type Attempt = Send | SendError

interface Shown {
  readonly attempt: Attempt
  readonly update: SendUpdate
}

/**
 * A tracked send as a mutation of TanStack Query with a live status. It goes on when the component is unmounted; `resume` of the sends finds it again after a restart of the page.
 *
 * @param sends undefined while its store opens
 *
 * @example
 * const { writeContract, update, error } = useSend(sends)
 * <button onClick={() => writeContract({ ...ledger, functionName: 'pay', args: [7n, 250n] })}>{update?.status ?? 'Pay'}</button>
 */
export function useSend(sends: TrackedSends | undefined): UseSendResult {
  const [shown, setShown] = useState<Shown>()
  const { mutate, mutateAsync, reset: resetMutation, ...mutation } = useMutation<TransactionReceipt, SendError, Attempt>(MUTATION)

  const begin = useCallback(
    (start: (sends: TrackedSends) => Send): Attempt => {
      if (sends === undefined) throw new QuoinError('The sends are not there yet. Wait until their store is open.')
      const attempt = attemptOf(() => start(sends))
      const tell = (update: SendUpdate): void => setShown((now) => (now?.attempt === attempt ? { attempt, update } : now))
      setShown({ attempt, update: firstUpdate(attempt) })
      void follow(attempt, tell)
      return attempt
    },
    [sends],
  )
  const methods = useMethods(begin, mutate, mutateAsync)
  const attempt = shown?.attempt
  const cancel = useCallback(
    async () => (attempt === undefined || attempt instanceof SendError ? false : attempt.cancel()),
    [attempt],
  )
  const reset = useCallback(() => {
    setShown(undefined)
    resetMutation()
  }, [resetMutation])

  // TanStack tells of a new mutation a moment after it began.
  const isToldOf = attempt !== undefined && mutation.variables === attempt
  const status = attempt === undefined ? 'idle' : isToldOf ? mutation.status : 'pending'
  return {
    ...methods,
    ...{ cancel, reset, status, update: shown?.update },
    data: isToldOf ? mutation.data : undefined,
    error: isToldOf ? mutation.error : null,
    ...{ isIdle: status === 'idle', isPending: status === 'pending' },
    ...{ isSuccess: status === 'success', isError: status === 'error' },
  }
}

type Methods = Pick<UseSendResult, 'writeContract' | 'sendTransaction' | 'writeContractAsync' | 'sendTransactionAsync'>

function useMethods(
  begin: (start: (sends: TrackedSends) => Send) => Attempt,
  mutate: (attempt: Attempt) => void,
  mutateAsync: (attempt: Attempt) => Promise<TransactionReceipt>,
): Methods {
  return useMemo(
    () =>
      ({
        writeContract: (parameters: never) => mutate(begin((sends) => sends.writeContract(parameters))),
        sendTransaction: (parameters: never) => mutate(begin((sends) => sends.sendTransaction(parameters))),
        writeContractAsync: async (parameters: never) => mutateAsync(begin((sends) => sends.writeContract(parameters))),
        sendTransactionAsync: async (parameters: never) => mutateAsync(begin((sends) => sends.sendTransaction(parameters))),
      }) satisfies Record<keyof Methods, unknown> as Methods,
    [begin, mutate, mutateAsync],
  )
}

/** The send itself decides what is repeated, and it must be written down at once, also where there is no network. */
const MUTATION = {
  mutationKey: ['quoin', 'send'],
  mutationFn: (attempt: Attempt) => (attempt instanceof SendError ? Promise.reject(attempt) : attempt.receipt),
  networkMode: 'always',
  retry: false,
} as const

function attemptOf(start: () => Send): Attempt {
  try {
    return start()
  } catch (thrown) {
    const error = toError(thrown)
    return new SendError('invalid', '', `The call cannot be encoded: ${firstLine(error)}`, { cause: error })
  }
}

const firstUpdate = (attempt: Attempt): SendUpdate =>
  attempt instanceof SendError ? { status: 'failed', error: attempt } : { status: 'queued' }

/** It never rejects: only a signal of the caller ends the updates early, and there is none. */
async function follow(attempt: Attempt, tell: (update: SendUpdate) => void): Promise<void> {
  if (attempt instanceof SendError) return
  for await (const update of attempt.updates) tell(update)
}
