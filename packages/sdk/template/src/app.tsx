import { useQuery } from '@tanstack/react-query'
import { WagmiProvider } from 'wagmi'
import { Activity } from './activity.tsx'
import { boardOn } from './board.ts'
import { type OpenChain, openChain } from './chain.ts'
import { ConnectionLine } from './connection.tsx'
import { explain } from './errors.ts'
import { LoginProvider } from './login.tsx'
import { LoginPanel } from './login-panel.tsx'
import { Tasks } from './tasks.tsx'

const RETRY_MS = 1_000

export function App() {
  const { data: opened, failureReason } = useQuery({
    queryKey: ['chain'],
    queryFn: ({ signal }) => openChain(signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: RETRY_MS,
  })
  if (opened !== undefined) return <Page opened={opened} />
  return (
    <Message>
      {failureReason === null
        ? 'Connecting …'
        : `${explain(failureReason)} This page goes on trying. In development, start the chain with: npm run dev`}
    </Message>
  )
}

function Page({ opened: { chain, config, isDevelopment } }: { readonly opened: OpenChain }) {
  const board = boardOn(chain)
  if (board === undefined) return <Message>The board is not deployed on chain {chain.id}. Deploy it with: npm run deploy</Message>
  return (
    <WagmiProvider config={config}>
      <LoginProvider isDevelopment={isDevelopment}>
        <header>
          <h1>Task board</h1>
          <ConnectionLine />
        </header>
        <main>
          <Tasks board={board} />
          <aside>
            <LoginPanel />
            <Activity board={board} />
          </aside>
        </main>
      </LoginProvider>
    </WagmiProvider>
  )
}

function Message({ children }: { readonly children: React.ReactNode }) {
  return (
    <main className="message">
      <h1>Task board</h1>
      <p role="status">{children}</p>
    </main>
  )
}
