import { type TrackedSends, trackedSends } from '@quoin/sdk'
import { indexedDb } from '@quoin/sdk/store/browser'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { Address } from 'viem'
import { useClient } from 'wagmi'
import { accountOf, PEOPLE } from '../../scripts/accounts.mjs'
import type { DeployedLedger } from './chain.ts'

export type Party = 'supplier' | 'buyer' | 'carrier'
export const PARTIES: readonly Party[] = ['supplier', 'buyer', 'carrier']

/** Who uses the page: one of three organisations, each with a key of the development chain. */
interface Acting {
  readonly ledger: DeployedLedger
  readonly party: Party
  readonly organisation: bigint
  readonly account: Address
  /** Undefined until the browser's database is open. */
  readonly sends: TrackedSends | undefined
  readonly choose: (party: Party) => void
}

const Context = createContext<Acting | undefined>(undefined)

export function useActing(): Acting {
  const context = useContext(Context)
  if (context === undefined) throw new Error('useActing needs an ActingProvider')
  return context
}

export function ActingProvider({ ledger, children }: { readonly ledger: DeployedLedger; readonly children: ReactNode }) {
  const [party, choose] = useState<Party>('buyer')
  const sends = useSends()?.[party]
  const organisation = BigInt(PEOPLE[party].organisation)
  return <Context value={{ ledger, party, organisation, account: ACCOUNTS[party].address, sends, choose }}>{children}</Context>
}

const ACCOUNTS = { supplier: accountOf(PEOPLE.supplier), buyer: accountOf(PEOPLE.buyer), carrier: accountOf(PEOPLE.carrier) }

/** The sends of all three keys, so that those of one go on while the page acts for another. They survive a reload. */
function useSends(): Readonly<Record<Party, TrackedSends>> | undefined {
  const client = useClient()
  const [sends, setSends] = useState<Readonly<Record<Party, TrackedSends>>>()
  useEffect(() => {
    if (client === undefined) return
    const opening = indexedDb('invoices').then((store) => {
      const of = (party: Party) => trackedSends({ client, account: ACCOUNTS[party], store })
      return { store, all: { supplier: of('supplier'), buyer: of('buyer'), carrier: of('carrier') } }
    })
    let isOver = false
    void opening.then(({ all }) => {
      if (isOver) return
      setSends(all)
      // What an earlier visit did not finish goes on.
      for (const one of Object.values(all)) void one.resume()
    })
    return () => {
      isOver = true
      setSends(undefined)
      void opening.then(async ({ store, all }) => {
        await Promise.all(Object.values(all).map((one) => one.close()))
        await store.close()
      })
    }
  }, [client])
  return sends
}
