import { type Access, type AccountEntry, Address, idOfName, type Organisation, ROLE_NAMES, ROLES } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import type { Identity } from '../method.ts'
import { HeadMembers } from './members.ts'
import { readRule } from './method-rules.ts'
import { Permissions, patternsProblem, READING_ROLES } from './permissions.ts'

const ACCOUNT = Address(`0x${'ab'.repeat(20)}`)
const BANK = idOfName('bank')!
const organisation: Organisation = {
  name: 'Bank',
  suspended: false,
  votes: 1,
  share: 1,
  grantable: 0,
  members: 1,
  voters: 0,
  checkpoints: 0,
}
const entry = (roles: number, changes: Partial<AccountEntry> = {}): AccountEntry => ({
  organisation: BANK,
  roles,
  expiry: 0,
  suspended: false,
  ...changes,
})

const ANYONE: Identity = { remote: '127.0.0.1', connection: 1 }
const MEMBER: Identity = { remote: ACCOUNT, connection: 1, account: ACCOUNT, expiresMs: 1_000 }

/** A chain whose state the test changes, and `next` to make the next block. */
function open(methodRules: readonly string[] = [], openMethods: readonly string[] = ['eth_chainId', 'web3_*']) {
  const chain = {
    reading: 'members' as Access,
    entry: undefined as AccountEntry | undefined,
    organisation: organisation as Organisation,
    timeMs: 10_000,
  }
  let number = 0
  let reads = 0
  const head = () => ({ hash: `0x${number.toString(16).padStart(64, '0')}`, header: { timeMs: chain.timeMs } })
  const members = new HeadMembers(
    {
      reading: () => chain.reading,
      membership() {
        reads++
        return { entry: chain.entry, organisation: chain.entry && chain.organisation }
      },
    },
    head as never,
  )
  const clock = new ManualClock()
  const permissions = new Permissions({ openMethods, methodRules }, members, clock)
  return {
    ...{ chain, clock },
    next: () => number++,
    reads: () => reads,
    refusal: (method: string, identity: Identity = MEMBER) => permissions.refusal(method, identity),
  }
}

describe('where only members read', () => {
  it('open methods need no token, others name what is lacking', () => {
    const { refusal } = open()
    expect(refusal('eth_chainId', ANYONE)).toBeUndefined()
    expect(refusal('web3_sha3', ANYONE)).toBeUndefined()
    expect(refusal('eth_chainIds', ANYONE)).toMatchObject({
      code: 4100,
      data: { reason: 'reading-not-permitted', scope: 'chain', rule: 'reading', account: null, lacking: 'token' },
    })
  })

  it('accounts need an active entry with one of the roles', () => {
    for (const name of ROLE_NAMES) {
      const { chain, refusal } = open()
      chain.entry = entry(ROLES[name])
      const may = ['reader', 'auditor', 'admin', 'voter'].includes(name)
      expect((READING_ROLES & ROLES[name]) !== 0).toBe(may)
      if (may) expect(refusal('eth_call')).toBeUndefined()
      else
        expect(refusal('eth_call')).toMatchObject({
          data: { account: ACCOUNT, lacking: 'role', roles: ['admin', 'voter', 'reader', 'auditor'] },
        })
    }
  })

  it.each([
    ['none', undefined, organisation, { lacking: 'entry' }],
    ['suspended', entry(ROLES.reader, { suspended: true }), organisation, { lacking: 'standing', standing: 'suspended' }],
    [
      'of a suspended organisation',
      entry(ROLES.reader),
      { ...organisation, suspended: true },
      { lacking: 'standing', standing: 'organisation-suspended' },
    ],
    [
      'expired at the time of the head',
      entry(ROLES.reader, { expiry: 10 }),
      organisation,
      { lacking: 'standing', standing: 'expired' },
    ],
  ] as const)('an entry that is %s does not count', (_, given, of, details) => {
    const { chain, refusal } = open()
    chain.entry = given
    chain.organisation = of
    expect(refusal('eth_call')).toMatchObject({ code: 4100, data: { account: ACCOUNT, ...details } })
  })

  it('a change counts from the next head on, and each head reads an entry once', () => {
    const { chain, refusal, next, reads } = open()
    chain.entry = entry(ROLES.reader)
    expect(refusal('eth_call')).toBeUndefined()
    chain.entry = undefined
    expect(refusal('eth_call')).toBeUndefined()
    expect(reads()).toBe(1)
    next()
    expect(refusal('eth_call')).toMatchObject({ data: { lacking: 'entry' } })
    chain.reading = 'open'
    next()
    expect(refusal('eth_call', ANYONE)).toBeUndefined()
  })
})

it('a token that has expired since, or a faulty one, does not count anywhere', () => {
  const { chain, clock, refusal } = open()
  chain.reading = 'open'
  expect(refusal('eth_chainId')).toBeUndefined()
  clock.advance(1_000)
  expect(refusal('eth_chainId')).toMatchObject({ code: 4100, data: { reason: 'invalid-token', problem: 'expired' } })
  const fault = { code: 4100, message: 'invalid token', data: { reason: 'invalid-token', scope: 'node' } } as const
  expect(refusal('eth_chainId', { ...ANYONE, fault })).toBe(fault)
})

describe('rules of methods', () => {
  it('hold before the policy, the first that matches first', () => {
    const { refusal } = open([
      'debug_traceCall: anyone',
      'debug_*: auditor|16',
      'txpool_*: token',
      'eth_getLogs: nobody',
      'web3_sha3: voter',
    ])
    const reasons = (identity: Identity) =>
      ['debug_traceCall', 'debug_getRawHeader', 'txpool_status', 'eth_getLogs', 'web3_sha3', 'eth_call', 'eth_chainId'].map(
        (method) => (refusal(method, identity)?.data as { reason: string } | undefined)?.reason,
      )
    const [rule, read] = ['method-not-permitted', 'reading-not-permitted']
    expect(reasons(ANYONE)).toEqual([undefined, rule, rule, rule, rule, read, undefined])
    expect(reasons(MEMBER)).toEqual([undefined, rule, undefined, rule, rule, read, undefined])
    const again = open(['debug_*: auditor|16'])
    again.chain.entry = entry(1 << 16)
    expect(again.refusal('debug_getRawHeader')).toBeUndefined()
    again.chain.reading = 'open'
    again.next()
    expect(again.refusal('debug_getRawHeader', ANYONE)).toMatchObject({
      code: 4100,
      data: { reason: 'method-not-permitted', scope: 'node', rule: 'debug_*: auditor|16', account: null, lacking: 'token' },
    })
    expect(again.refusal('eth_call', ANYONE)).toBeUndefined()
  })

  it.each([
    'debug_*',
    'debug_*: king',
    'debug_*: auditor: admin',
    '*x: auditor',
    ': auditor',
    'a b: token',
    'a:',
    'a: 15',
    'a: 32',
    'a: auditor|',
    'a: toString',
  ])('%s is refused', (text) => {
    expect(readRule(text).ok).toBe(false)
    expect(patternsProblem({ openMethods: [], methodRules: [text] })).toContain(text)
    expect(() => open([text])).toThrow(RangeError)
  })

  it('patterns of open methods are checked too', () => {
    expect(patternsProblem({ openMethods: ['eth_*', '*', 'rpc.discover'], methodRules: [] })).toBeUndefined()
    expect(patternsProblem({ openMethods: ['eth_*Block'], methodRules: [] })).toContain('eth_*Block')
    expect(patternsProblem({ openMethods: [''], methodRules: [] })).toBeDefined()
  })
})
