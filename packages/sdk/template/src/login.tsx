import { type TrackedSends, trackedSends } from '@quoin/sdk'
import { type BrowserStore, indexedDb } from '@quoin/sdk/store/browser'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { Address, LocalAccount } from 'viem'
import { useChainId, useClient, useConnection, useDisconnect } from 'wagmi'
import { forgetAccount, makeAccount, savedAccount } from './local-key.ts'

/** Who uses the page. A wallet signs by itself; a local key signs here, and its sends are tracked. */
export type Login =
  | { readonly kind: 'wallet'; readonly address: Address; readonly wallet: string; readonly isOnChain: boolean }
  | { readonly kind: 'local'; readonly address: Address; readonly tracking: Tracking | undefined }

export interface Tracking {
  readonly sends: TrackedSends
  /** `tab`: this browser stores nothing, so that unfinished sends are lost with the tab. */
  readonly durability: BrowserStore['durability']
  /** Why the sends of an earlier visit do not go on. */
  readonly problem?: unknown
}

interface LoginContext {
  readonly login: Login | undefined
  /** Only on a development chain. */
  readonly logInWithLocalKey: (() => void) | undefined
  readonly logOut: () => void
}

const Context = createContext<LoginContext | undefined>(undefined)

export function useLogin(): LoginContext {
  const context = useContext(Context)
  if (context === undefined) throw new Error('useLogin needs a LoginProvider')
  return context
}

export function LoginProvider({ isDevelopment, children }: { readonly isDevelopment: boolean; readonly children: ReactNode }) {
  const [account, setAccount] = useState(() => (isDevelopment ? savedAccount() : undefined))
  const tracking = useTracking(account)
  const connection = useConnection()
  const chainId = useChainId()
  const disconnect = useDisconnect()
  const { address, connector } = connection
  const isOnChain = connection.chainId === chainId

  let login: Login | undefined
  if (address !== undefined && connector !== undefined) login = { kind: 'wallet', address, wallet: connector.name, isOnChain }
  else if (account !== undefined) login = { kind: 'local', address: account.address, tracking }

  const logInWithLocalKey = () => setAccount(savedAccount() ?? makeAccount())
  const logOut = () => {
    if (login?.kind === 'wallet') return disconnect.mutate()
    forgetAccount()
    setAccount(undefined)
  }
  return <Context value={{ login, logInWithLocalKey: isDevelopment ? logInWithLocalKey : undefined, logOut }}>{children}</Context>
}

/** Sends of an account that survive reloads of the page. Undefined until the browser's database is open. */
function useTracking(account: LocalAccount | undefined): Tracking | undefined {
  const client = useClient()
  const [tracking, setTracking] = useState<Tracking>()
  useEffect(() => {
    if (account === undefined || client === undefined) return
    let isOver = false
    const opening = indexedDb('task-board').then((store) => {
      const sends = trackedSends({ client, account, store })
      const show = (problem?: unknown) => (isOver ? undefined : setTracking({ sends, durability: store.durability, problem }))
      show()
      // What an earlier visit did not finish goes on.
      sends.resume().catch(show)
      return { store, sends }
    })
    return () => {
      isOver = true
      setTracking(undefined)
      void opening.then(async ({ store, sends }) => {
        await sends.close()
        await store.close()
      })
    }
  }, [account, client])
  return tracking
}
