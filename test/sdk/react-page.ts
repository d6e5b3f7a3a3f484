import { memoryStore, type TrackedSends, trackedSends } from '@quoin/sdk'
import { type DehydratedState, hydrate, QueryClient } from '@tanstack/react-query'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import type { Chain } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { deserialize } from 'wagmi'
import { abi } from './counter-abi.ts'
import { app, configOf, newStory, type Shown, type Story } from './react-app.ts'

/** What the page of the tests of hooks can be asked to do. */
export interface ReactPage {
  /** Renders the application. With `state`, which a server dehydrated, it takes over what the server rendered. */
  mount(parts: Parts): void
  change(shown: Partial<Shown>): void
  /** Removes the application; queries and sends go on. */
  unmount(): void
  /** Sends with the hook's method; resolves when the transaction is in a block, to the error's reason if it fails. */
  send(task: Task): Promise<string>
  cancel(): Promise<boolean>
  reset(): void
  clear(): void
  invalidate(): Promise<void>
  resetQueries(): Promise<void>
  /** Texts only, so that a test can read it. */
  story(): Pick<Story, 'renderings' | 'sends'> & { readonly openStreams: number; readonly streams: number }
  /** Errors of the page that nothing caught. */
  readonly uncaught: string[]
}

interface Parts {
  readonly urls: readonly string[]
  readonly isPlain?: boolean
  readonly shown: Shown
  /** With it the application can send. */
  readonly key?: `0x${string}`
  readonly state?: string
}

export interface Task {
  readonly count: string
  /** Fire and forget. */
  readonly isForgotten?: boolean
  readonly gas?: string
  readonly deadlineMs?: number
}

let root: Root | undefined
let shown: Shown | undefined
let render: (() => void) | undefined
let story = newStory()
let queryClient = new QueryClient()
let sends: TrackedSends | undefined
const uncaught: string[] = []
addEventListener('error', ({ message }) => uncaught.push(message))
addEventListener('unhandledrejection', ({ reason }) => uncaught.push(String(reason)))

const page: ReactPage = {
  mount(parts) {
    shown = parts.shown
    story = newStory()
    queryClient = new QueryClient()
    const config = configOf(foundry as Chain, parts.urls, parts.isPlain)
    const client = config.getClient()
    sends = parts.key && trackedSends({ client, account: privateKeyToAccount(parts.key), store: memoryStore() })
    const current = () => app({ ...shown!, config, queryClient, sends, story })
    const place = document.getElementById('root')!
    const onUncaughtError = (error: unknown): void => void uncaught.push(String(error))
    render = () => root!.render(current())
    if (parts.state === undefined) {
      root = createRoot(place, { onUncaughtError })
      render()
    } else {
      hydrate(queryClient, deserialize<DehydratedState>(parts.state))
      root = hydrateRoot(place, current(), { onUncaughtError, onRecoverableError: onUncaughtError })
    }
  },
  change(part) {
    shown = { ...shown!, ...part }
    render!()
  },
  unmount() {
    root!.unmount()
    render = undefined
  },
  async send({ count, isForgotten, gas, deadlineMs }) {
    const call = { abi, address: shown!.counter, functionName: 'count', args: [BigInt(count)] } as const
    const settings = { ...(gas && { gas: BigInt(gas) }), ...(deadlineMs && { deadlineMs }) }
    const { writeContract, writeContractAsync } = story.send!
    if (isForgotten === true) {
      writeContract({ ...call, ...settings })
      return 'forgotten'
    }
    return writeContractAsync({ ...call, ...settings }).then(
      ({ status }) => status,
      (error: Error & { readonly reason?: string }) => error.reason ?? error.message,
    )
  },
  cancel: () => story.send!.cancel(),
  reset: () => story.send!.reset(),
  clear: () => story.clear!(),
  invalidate: () => queryClient.invalidateQueries(),
  resetQueries: () => queryClient.resetQueries(),
  story: () => ({
    renderings: story.renderings,
    sends: story.sends,
    streams: story.signals.length,
    openStreams: story.signals.filter(({ aborted }) => !aborted).length,
  }),
  uncaught,
}
Object.assign(globalThis, { page })
