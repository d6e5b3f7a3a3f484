import { useSend } from '@quoin/sdk/react'
import { useMutation } from '@tanstack/react-query'
import type { Hash } from 'viem'
import { useChainId, useConfig, useWaitForTransactionReceipt } from 'wagmi'
import { simulateContract, writeContract } from 'wagmi/actions'
import type { Board } from './board.ts'
import { useLogin } from './login.tsx'

export type Call =
  | { readonly functionName: 'add'; readonly args: readonly [text: string] }
  | { readonly functionName: 'finish'; readonly args: readonly [id: bigint] }

/** How far a transaction is. `wallet`: the wallet asks its user. The steps between are known of tracked sends only. */
export interface Progress {
  readonly step: 'idle' | 'wallet' | 'queued' | 'signed' | 'sent' | 'included' | 'failed'
  readonly hash: Hash | undefined
  /** Of the block that includes it. */
  readonly block: bigint | undefined
  readonly error: unknown
}

export interface Writing {
  readonly progress: Progress
  /** Undefined while nobody is logged in who can send, and while the last one is under way. */
  readonly write: ((call: Call) => void) | undefined
}

/** Changes the board as the user who is logged in. */
export function useWriting(board: Board): Writing {
  const { login } = useLogin()
  const tracked = useTrackedWriting(board)
  const wallet = useWalletWriting(board)
  const { progress, write } = login?.kind === 'local' ? tracked : wallet
  const isUnderWay = !['idle', 'included', 'failed'].includes(progress.step)
  return { progress, write: isUnderWay ? undefined : write }
}

/** With a local key: the send is stored before it leaves, and its status is live. */
function useTrackedWriting(board: Board): Writing {
  const { login } = useLogin()
  const sends = login?.kind === 'local' ? login.tracking?.sends : undefined
  const { writeContract, update, data, error } = useSend(sends)
  const step = update?.status ?? 'idle'
  return {
    progress: { step, hash: update?.hash, block: data?.blockNumber, error: error ?? update?.error },
    write: sends && (({ functionName, args }) => writeContract({ ...board, functionName, args })),
  }
}

/** With a wallet, which signs and sends by itself. */
function useWalletWriting(board: Board): Writing {
  const { login } = useLogin()
  const config = useConfig()
  const chainId = useChainId()
  const sending = useMutation({
    mutationFn: async ({ functionName, args }: Call) => {
      // What the contract would refuse does not come to the wallet.
      const { request } = await simulateContract(config, { ...board, functionName, args, chainId })
      return writeContract(config, request)
    },
  })
  const { data: hash } = sending
  const receipt = useWaitForTransactionReceipt({ hash })
  const error = sending.error ?? receipt.error
  let step: Progress['step'] = 'idle'
  if (error !== null) step = 'failed'
  else if (sending.isPending) step = 'wallet'
  else if (receipt.data !== undefined) step = 'included'
  else if (hash !== undefined) step = 'sent'
  return {
    progress: { step, hash, block: receipt.data?.blockNumber, error },
    write: login?.kind === 'wallet' && login.isOnChain ? (call) => sending.mutate(call) : undefined,
  }
}
