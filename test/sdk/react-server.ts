import type { ReadAt } from '@quoin/sdk'
import { contractStateOptions } from '@quoin/sdk/react'
import { dehydrate, QueryClient } from '@tanstack/react-query'
import { renderToString } from 'react-dom/server'
import type { Chain } from 'viem'
import { serialize } from 'wagmi'
import { abi } from './counter-abi.ts'
import { app, configOf, newStory, type Shown } from './react-app.ts'
import { chain } from './stage.ts'

/** What a server sends to one user. */
export interface Rendered {
  readonly html: string
  /** The queries, as text. */
  readonly state: string
}

/** Renders the application for a user, as a server does: with a config and a cache of the user's own, and all reads made before, unless their result is known. */
export async function renderFor(urls: readonly string[], shown: Shown, known?: ReadAt<bigint>): Promise<Rendered> {
  const queryClient = new QueryClient()
  const config = configOf(chain as Chain, urls)
  const reads = shown.above.map((argument) =>
    contractStateOptions(config.getClient(), {
      ...{ abi, address: shown.counter, functionName: 'above', args: [BigInt(argument)] },
    } as const),
  )
  if (known === undefined) await Promise.all(reads.map((read) => queryClient.query(read)))
  else for (const { queryKey } of reads) queryClient.setQueryData(queryKey, known)
  const html = renderToString(app({ ...shown, config, queryClient, story: newStory() }))
  return { html, state: serialize(dehydrate(queryClient)) }
}
