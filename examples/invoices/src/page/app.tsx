import { useContractState } from '@quoin/sdk/react'
import { useQuery } from '@tanstack/react-query'
import { WagmiProvider } from 'wagmi'
import { PEOPLE } from '../../scripts/accounts.mjs'
import { tokenAbi } from '../ledger.ts'
import { ActingProvider, PARTIES, useActing } from './acting.tsx'
import { type OpenLedger, openLedger } from './chain.ts'
import { explain } from './errors.ts'
import { money } from './format.ts'
import { Invoices } from './invoices.tsx'
import { Orders } from './orders.tsx'

const RETRY_MS = 1_000

export function App() {
  const { data: opened, failureReason } = useQuery({
    queryKey: ['ledger'],
    queryFn: ({ signal }) => openLedger(signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: RETRY_MS,
  })
  if (opened !== undefined) return <Page opened={opened} />
  return (
    <main className="message">
      <h1>Invoices</h1>
      <p role="status">{failureReason === null ? 'Connecting …' : `${explain(failureReason)} This page goes on trying.`}</p>
    </main>
  )
}

function Page({ opened: { config, ledger } }: { readonly opened: OpenLedger }) {
  return (
    <WagmiProvider config={config}>
      <ActingProvider ledger={ledger}>
        <header>
          <h1>Invoices</h1>
          <Organisations />
        </header>
        <main>
          <Invoices />
          <Orders />
        </main>
      </ActingProvider>
    </WagmiProvider>
  )
}

/** Switches the organisation, and with it the key, that the page acts with. */
function Organisations() {
  const { party, choose, ledger, account } = useActing()
  const { data: balance } = useContractState({ abi: tokenAbi, address: ledger.token, functionName: 'balanceOf', args: [account] })
  return (
    <div className="who">
      <fieldset aria-label="You act for">
        {PARTIES.map((one) => (
          <button key={one} type="button" aria-pressed={one === party} onClick={() => choose(one)}>
            {PEOPLE[one].name} <small>{one}</small>
          </button>
        ))}
      </fieldset>
      <p className="hint">
        Balance <strong data-testid="balance">{balance === undefined ? '…' : `${money(balance)} EUR`}</strong>
      </p>
    </div>
  )
}
