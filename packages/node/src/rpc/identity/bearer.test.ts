import { describe, expect, it } from 'vitest'
import { chosenSubprotocol, credentialsOf, upgradeCredentials } from './bearer.ts'

describe('the token of a request', () => {
  it.each([
    ['none', undefined, undefined],
    ['one', ['Bearer a.b.c'], { token: 'a.b.c' }],
    ['one, with another spelling of the scheme', ['bEARER   a.b.c'], { token: 'a.b.c' }],
    ['none, but what a proxy asks', ['Basic YTpi'], undefined],
    ['an empty header', [''], undefined],
    ['a scheme alone', ['Bearer'], { fault: 'malformed' }],
    ['a token with a blank', ['Bearer a b'], { fault: 'malformed' }],
    ['two', ['Bearer a.b.c', 'Bearer a.b.c'], { fault: 'repeated' }],
    ['two, one of another scheme', ['Basic YTpi', 'Bearer a.b.c'], { fault: 'repeated' }],
  ] as const)('%s', (_, values, expected) => {
    expect(credentialsOf(values)).toEqual(expected)
  })
})

describe('the token of a WebSocket', () => {
  it.each([
    ['is in the header', ['Bearer a.b.c'], undefined, { token: 'a.b.c' }],
    ['is in the subprotocol', undefined, 'quoin, bearer.a.b.c', { token: 'a.b.c' }],
    ['is in the subprotocol, with the Authorization of a proxy', ['Basic YTpi'], 'bearer.a.b.c,quoin', { token: 'a.b.c' }],
    ['is missing', undefined, 'quoin', undefined],
    ['is empty', undefined, 'bearer.', { token: '' }],
    ['is there twice', undefined, 'bearer.a, bearer.b', { fault: 'repeated' }],
    ['is in both', ['Bearer a.b.c'], 'quoin, bearer.a.b.c', { fault: 'repeated' }],
  ] as const)('%s', (_, header, subprotocols, expected) => {
    expect(upgradeCredentials(header, subprotocols)).toEqual(expected)
  })

  it('is never sent back as the chosen subprotocol', () => {
    expect(chosenSubprotocol(new Set(['bearer.a', 'quoin']))).toBe('quoin')
    expect(chosenSubprotocol(new Set(['bearer.a', 'chat']))).toBe('chat')
    expect(chosenSubprotocol(new Set(['bearer.a']))).toBe(false)
  })
})
