import { expect, it } from 'vitest'
import { bootstrapPeers } from './bootstrap-peers.ts'

const A = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const B = '12D3KooWNvSZnPi3RrhrTwEY4LuuBeB6K6facKUCJcyWG1aoDd2p'

it('joins the addresses of each peer', () => {
  expect(bootstrapPeers([`/ip4/10.0.0.1/tcp/1/p2p/${A}`, `/dns4/b.example/tcp/2/p2p/${B}`, `/ip6/::1/tcp/3/p2p/${A}`])).toEqual({
    ok: true,
    value: [
      { peerId: A, addresses: ['/ip4/10.0.0.1/tcp/1', '/ip6/::1/tcp/3'] },
      { peerId: B, addresses: ['/dns4/b.example/tcp/2'] },
    ],
  })
})

it.each([
  '',
  '/ip4/10.0.0.1/tcp/1',
  `/p2p/${A}`,
  '/ip4/10.0.0.1/tcp/1/p2p/me',
  `/ip4/10.0.0.1/udp/1/p2p/${A}`,
  `/ip4/10.0.0.1/tcp/1/p2p/${A}/x`,
])('refuses %j with the form that it must have', (item) => {
  expect(bootstrapPeers([item])).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining(`${item}: must be a multiaddress with a peer id`) },
  })
})
