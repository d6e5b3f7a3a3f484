import { describe, expect, it } from 'vitest'
import { Access, type AccessSettings, clientOf, proxiesRefusal } from './access.ts'

const access = (settings: Partial<AccessSettings> = {}) =>
  new Access({ corsOrigins: [], allowedHosts: ['localhost'], trustedProxies: [], ...settings })

describe('the Host header of a request', () => {
  it.each(['localhost', 'LOCALHOST:8545', '127.0.0.1', '10.0.0.7:8545', '[::1]:8545', '[fe80::1]', undefined])(
    'may be %s',
    (host) => {
      expect(access().allowsHost(host)).toBe(true)
    },
  )
  it.each(['evil.example', 'evil.example:8545', 'localhost.evil.example', '127.0.0.1.evil.example', '0x7f000001.example', ''])(
    'may not be %s',
    (host) => {
      expect(access().allowsHost(host)).toBe(false)
      expect(access({ allowedHosts: ['*'] }).allowsHost(host)).toBe(true)
    },
  )
  it('may be a configured name', () => {
    expect(access({ allowedHosts: ['Node.Example'] }).allowsHost('node.example:443')).toBe(true)
  })
})

it('a page of another origin reads nothing and opens no WebSocket, unless its origin is configured', () => {
  const named = access({ corsOrigins: ['https://app.example'] })
  expect([
    named.corsOrigin('https://app.example'),
    named.corsOrigin('https://evil.example'),
    named.corsOrigin(undefined),
  ]).toEqual(['https://app.example', undefined, undefined])
  expect([
    named.allowsSocket('https://app.example'),
    named.allowsSocket('https://evil.example'),
    named.allowsSocket(undefined),
  ]).toEqual([true, false, true])
  expect(access({ corsOrigins: ['*'] }).corsOrigin('https://evil.example')).toBe('*')
})

describe('the client behind a connection', () => {
  const proxied = access({ trustedProxies: ['10.0.0.0/8', 'fd00::/8'] })
  it.each([
    ['203.0.113.9', '198.51.100.1', '203.0.113.9', 'X-Forwarded-For of a client that is not a proxy is ignored'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1', 'the proxy names it'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1', 'over an IPv6 socket too'],
    ['10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1', 'what the client itself wrote is not believed'],
    ['10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1', 'through two proxies'],
    ['10.0.0.1', 'unknown', '10.0.0.1', 'a proxy that names no client'],
    ['10.0.0.1', undefined, '10.0.0.1', 'a proxy that says nothing'],
    ['10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.1', 'only proxies'],
  ])('%s with %s is %s: %s', (peer, forwarded, remote, _why) => {
    expect(proxied.remoteOf(peer, forwarded)).toBe(remote)
  })

  it('is a whole /64 for IPv6, where one site has unlimited addresses', () => {
    expect([clientOf('2001:db8:1:2:3::4'), clientOf('2001:db8::4'), clientOf('::1'), clientOf('::ffff:1.2.3.4')]).toEqual([
      '2001:db8:1:2::/64',
      '2001:db8:0:0::/64',
      '::1',
      '1.2.3.4',
    ])
  })
})

it('names the invalid entry of the list of proxies', () => {
  expect(proxiesRefusal(['10.0.0.1', '10.0.0.0/8', 'fd00::/8'])).toBeUndefined()
  for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', ''])
    expect(proxiesRefusal(['10.0.0.1', wrong])).toContain('is not an IP address')
})
