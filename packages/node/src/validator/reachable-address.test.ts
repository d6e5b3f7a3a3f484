import { describe, expect, it } from 'vitest'
import { unreachableReason } from './reachable-address.ts'

describe('the address at which other nodes reach a node', () => {
  it.each([
    '/ip4/10.0.0.1/tcp/26656',
    '/ip4/203.0.113.7/tcp/1',
    '/ip6/fd00::2/tcp/26656',
    '/dns4/node-a.example.org/tcp/65535',
    '/dns/localhost.example.org/tcp/1',
  ])('%s: accepted', (address) => {
    expect([unreachableReason(address, false), unreachableReason(address, true)]).toEqual([undefined, undefined])
  })

  it.each([
    '/ip4/127.0.0.1/tcp/26656',
    '/ip4/127.8.8.8/tcp/26656',
    '/ip6/::1/tcp/26656',
    '/ip6/::ffff:127.0.0.1/tcp/26656',
    '/dns4/localhost/tcp/26656',
    '/dns/node.LOCALHOST./tcp/26656',
  ])('%s: accepted in development only', (address) => {
    expect(unreachableReason(address, true)).toBeUndefined()
    expect(unreachableReason(address, false)).toMatch(/only reachable from this machine: .*--advertise.*--development/)
  })

  it.each([
    ['/ip4/0.0.0.0/tcp/26656', /all interfaces.*--advertise.*, such as \/ip4\/10\.0\.0\.1\/tcp\/26656/],
    ['/ip6/::/tcp/26656', /all interfaces/],
    ['/ip6/::0/tcp/26656', /all interfaces/],
    ['/ip6/::ffff:0.0.0.0/tcp/26656', /all interfaces/],
    ['/ip4/10.0.0.1/tcp/0', /has port 0/],
    ['/ip4/10.0.0.1/tcp/65536', /not a valid node address/],
    ['/ip4/10.0.0.256/tcp/1', /not a valid node address/],
    ['/ip4/::1/tcp/1', /not a valid node address/],
    ['/ip4/10.0.0.1/udp/1', /not a valid node address/],
    ['10.0.0.1:26656', /not a valid node address: use a multiaddress such as/],
  ])('%s: refused', (address, reason) => {
    expect(unreachableReason(address, true)).toMatch(reason)
    expect(unreachableReason(address, false)).toMatch(reason)
  })
})
