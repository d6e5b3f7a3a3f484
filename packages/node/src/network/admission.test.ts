import { describe, expect, it } from 'vitest'
import { admissionList } from './admission.ts'

const self = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const peer = '12D3KooWSahP5pFRCEfaziPEba7urXGeif6T1y8jmodzdFUvzBHj'

describe('admission list', () => {
  it('holds the nodes with their addresses, without ourselves', () => {
    const list = admissionList(
      [
        { peerId: self, addresses: ['/ip4/10.0.0.1/tcp/1'] },
        { peerId: peer, addresses: ['/ip4/10.0.0.2/tcp/26656', '/ip6/fd00::2/tcp/26656'] },
      ],
      self,
      8,
    )
    expect([...list.nodes.keys()]).toEqual([peer])
    expect(list.nodes.get(peer)!.addresses.map(String)).toEqual([
      `/ip4/10.0.0.2/tcp/26656/p2p/${peer}`,
      `/ip6/fd00::2/tcp/26656/p2p/${peer}`,
    ])
    expect(list.invalid).toEqual([])
  })

  it('has the IPs of its addresses and loopback, in each form of them', () => {
    const list = admissionList([{ peerId: peer, addresses: ['/ip4/10.0.0.2/tcp/26656', '/ip6/fd00::2/tcp/26656'] }], self, 8)
    for (const ip of ['10.0.0.2', '::ffff:10.0.0.2', 'fd00::2', 'fd00:0:0::2', '127.0.0.1', '127.9.9.9', '::1'])
      expect(list.hasIp(ip)).toBe(true)
    for (const ip of ['10.0.0.3', '::ffff:10.0.0.3', 'fd00::3', '8.8.8.8', '::']) expect(list.hasIp(ip)).toBe(false)
  })

  it('has the names of its addresses, and no IP for them', () => {
    const list = admissionList([{ peerId: peer, addresses: ['/dns4/validator-2/tcp/26656', '/dnsaddr/example.org'] }], self, 8)
    expect(list.names).toEqual([
      { kind: 'dns4', name: 'validator-2' },
      { kind: 'dnsaddr', name: 'example.org' },
    ])
    expect(list.hasIp('8.8.8.8')).toBe(false)
  })

  it('skips what is no peer id and no address, and ignores addresses beyond the limit', () => {
    const list = admissionList(
      [
        { peerId: 'nonsense', addresses: ['/ip4/10.0.0.1/tcp/1'] },
        {
          peerId: peer,
          addresses: ['10.0.0.2:26656', '/ip4/999.0.0.1/tcp/1', `/ip4/10.0.0.2/tcp/1/p2p/${self}`, '/ip4/10.0.0.2/tcp/2'],
        },
      ],
      self,
      8,
    )
    expect(list.invalid).toEqual(['nonsense', '10.0.0.2:26656', '/ip4/999.0.0.1/tcp/1', `/ip4/10.0.0.2/tcp/1/p2p/${self}`])
    expect(list.nodes.get(peer)!.addresses.length).toBe(1)
    expect(
      admissionList(
        [{ peerId: peer, addresses: Array.from({ length: 9 }, (_, i) => `/ip4/10.0.0.2/tcp/${i + 1}`) }],
        self,
        8,
      ).nodes.get(peer)!.addresses.length,
    ).toBe(8)
  })
})
