import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement, type ReactElement } from 'react'
import { renderToString } from 'react-dom/server'
import { custom, parseAbi } from 'viem'
import { foundry } from 'viem/chains'
import { expect, it } from 'vitest'
import { createConfig, WagmiProvider } from 'wagmi'
import { streamBlocks } from '../index.ts'
import { contractStateOptions, useContractState, useSend, useStream } from './index.ts'

const ledger = {
  abi: parseAbi(['function openOf(uint256 id) view returns (uint256)']),
  address: '0x00000000000000000000000000000000000000aa',
} as const

/** What a component shows to one user, rendered as on a server, and what was asked for. */
function user(cached?: bigint) {
  const requests: string[] = []
  const request = async ({ method }: { readonly method: string }) => {
    requests.push(method)
    throw new Error('this client has no node')
  }
  const config = createConfig({ chains: [foundry], transports: { [foundry.id]: custom({ request }) }, ssr: true })
  const queryClient = new QueryClient()
  const { queryKey } = contractStateOptions(config.getClient(), { ...ledger, functionName: 'openOf', args: [7n] })
  if (cached !== undefined) queryClient.setQueryData(queryKey, { value: cached, blockNumber: 12n })
  const render = (component: () => ReactElement): string => {
    const queries = createElement(QueryClientProvider, { client: queryClient }, createElement(component))
    return renderToString(createElement(WagmiProvider, { config, children: queries }))
  }
  return { requests, render }
}

const Open = () => {
  const { data, status, blockNumber } = useContractState({ ...ledger, functionName: 'openOf', args: [7n] })
  return createElement('p', null, `${status} ${data} ${blockNumber}`)
}

it('a server renders what is in the cache of its user, and pending otherwise', () => {
  const users = [user(3n), user(), user(4n)]
  const rendered = [...users, ...users].map(({ render }) => render(Open))
  const once = ['<p>success 3 12</p>', '<p>pending undefined undefined</p>', '<p>success 4 12</p>']
  expect(rendered).toEqual([...once, ...once])
  expect(users.flatMap(({ requests }) => requests)).toEqual([])
})

it('a server opens no stream and sends nothing', () => {
  const { requests, render } = user()
  let opened = 0
  const Others = () => {
    const { items, status } = useStream({ key: [1n], open: (client) => (opened++, streamBlocks(client)) })
    const send = useSend(undefined)
    expect(() => send.sendTransaction({ to: ledger.address })).toThrow('The sends are not there yet')
    return createElement('p', null, `${status} ${items.length} ${send.status} ${send.isIdle} ${send.update?.status}`)
  }
  expect(render(Others)).toBe('<p>pending 0 idle true undefined</p>')
  expect([opened, requests]).toEqual([0, []])
})

it('a limit that is no number of items is refused', () => {
  const Wrong = () => {
    useStream({ key: [], limit: 0, open: (client) => streamBlocks(client) })
    return createElement('p')
  }
  expect(() => user().render(Wrong)).toThrow('limit must be an integer of at least 1, not 0')
})
