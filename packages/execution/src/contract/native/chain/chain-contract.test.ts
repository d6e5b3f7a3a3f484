import { codec, idOfName, LIMITS, ROLES, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ADMIN, account, BANK_A, BANK_B, Chain, CLERK, GOVERNOR, setAccount, VOTER } from '../../../../test/called-chain.ts'
import { OTHER } from '../../../../test/contracts.ts'
import { recordIn, SYSTEM_ADDRESS, SYSTEM_RECORDS } from '../../../state/system-records.ts'

describe('only the governor', () => {
  it.each([
    ['setOrganisation', [BANK_B, 'x', 1, 1, 0]],
    ['suspendOrganisation', [BANK_B, true]],
    ['removeOrganisation', [BANK_B]],
    ['addValidator', [BANK_B, BANK_B, '0x', 1, OTHER, ['p']]],
    ['setPower', [BANK_A, 0]],
    ['removeValidator', [BANK_A]],
    ['setParameter', ['blockIntervalMs', 700]],
    ['setPolicy', ['sending', 'members']],
    ['setRoleName', [16, 'teller']],
    ['offerGovernor', [OTHER, 100]],
    ['setParticipants', [[OTHER]]],
  ])('may call %s', (name, args) => {
    expect(new Chain().refusal(name, args, OTHER)).toEqual([
      'NotGovernor',
      expect.stringMatching(new RegExp(OTHER, 'i')),
      expect.stringMatching(new RegExp(GOVERNOR, 'i')),
    ])
  })
})

describe('the governor', () => {
  it('is handed over in two steps: the offered one accepts, in time', () => {
    const chain = new Chain()
    expect(chain.refusal('acceptGovernor', [], OTHER)[0]).toBe('NotAllowed')
    expect(chain.does('offerGovernor', [OTHER, 9])).toEqual(['GovernorOffered'])
    expect(chain.refusal('acceptGovernor', [], ADMIN)[0]).toBe('NotAllowed')
    chain.at(10)
    expect(chain.refusal('acceptGovernor', [], OTHER)).toEqual(['Refused', 'the offer was valid up to block 9'])
    chain.does('offerGovernor', [OTHER, 10])
    expect(chain.does('acceptGovernor', [], OTHER)).toEqual(['GovernorChanged'])
    expect(chain.tells('governor')).toMatch(new RegExp(OTHER, 'i'))
    expect(chain.refusal('setPolicy', ['sending', 'members'])[0]).toBe('NotGovernor')
    expect(chain.tells('governorOffer')).toEqual([account(0), 0n])
  })

  it('offers to one at a time, never to the zero address, never for the past', () => {
    const chain = new Chain()
    chain.does('offerGovernor', [OTHER, 100])
    chain.does('offerGovernor', [ADMIN, 100])
    expect(chain.refusal('acceptGovernor', [], OTHER)[0]).toBe('NotAllowed')
    expect(chain.refusal('offerGovernor', [account(0), 100])).toEqual(['Invalid', 'to', 'must not be the zero address'])
    expect(chain.refusal('offerGovernor', [OTHER, 6])[0]).toBe('Invalid')
  })

  it('names participants once each', () => {
    const chain = new Chain()
    chain.does('setParticipants', [[account(9), account(3)]])
    expect(recordIn(chain.journal, SYSTEM_RECORDS.governance).participants).toEqual([account(3), account(9)])
    expect(chain.refusal('setParticipants', [[OTHER, OTHER]])[0]).toBe('Invalid')
    const many = Array.from({ length: LIMITS.participantsMax + 1 }, (_, i) => account(i + 1))
    expect(chain.refusal('setParticipants', [many])[0]).toBe('Invalid')
  })
})

describe('organisations', () => {
  it('are entered, changed, suspended and removed', () => {
    const chain = new Chain()
    const id = idOfName('port-1')!
    expect(chain.does('setOrganisation', [id, 'Port of Ærø', 3, 10, ROLES.sender])).toEqual(['OrganisationChanged'])
    expect(chain.tells('organisation', [id])).toEqual([true, 'Port of Ærø', 3, 10, ROLES.sender, false, 0, 0])
    chain.does('suspendOrganisation', [id, true])
    expect(chain.tells('organisation', [id])).toMatchObject({ 5: true })
    expect(chain.refusal('removeOrganisation', [id])).toEqual(['Refused', 'the organisation has votes: set them to 0 first'])
    chain.does('setOrganisation', [id, 'Port', 0, 10, 0])
    expect(chain.does('removeOrganisation', [id])).toEqual(['OrganisationRemoved'])
    expect(chain.tells('organisation', [id])).toMatchObject({ 0: false })
    expect(chain.refusal('removeOrganisation', [id])).toEqual(['UnknownOrganisation', id])
  })

  it.each([
    ['an id that is no name', [`0x${'ff'.repeat(32)}`, 'x', 1, 1, 0]],
    ['no name', [BANK_B, '', 1, 1, 0]],
    ['a long name', [BANK_B, 'é'.repeat(33), 1, 1, 0]],
    ['too many votes', [BANK_B, 'x', LIMITS.votesMax + 1, 1, 0]],
    ['no share', [BANK_B, 'x', 1, 0, 0]],
    ['a role without a meaning', [BANK_B, 'x', 1, 1, 128]],
  ])('are refused with %s', (_what, args) => {
    expect(new Chain().refusal('setOrganisation', args)[0]).toBe('Invalid')
  })

  it('always have some votes together, and as many as the limit of organisations', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(VOTER, ROLES.voter, { organisation: BANK_A }))
    chain.does('setOrganisation', [BANK_B, 'Bank B', 0, 1, 0])
    expect(chain.refusal('setOrganisation', [BANK_A, 'Bank A', 0, 1, 0])).toEqual([
      'Refused',
      'the organisations would have no votes at all',
    ])
    for (let i = 2; i < LIMITS.organisationsMax; i++) chain.does('setOrganisation', [idOfName(`o${i}`)!, 'o', 0, 1, 0])
    expect(chain.refusal('setOrganisation', [idOfName('more')!, 'o', 0, 1, 0])[0]).toBe('Refused')
  })

  it('have the votes that they had after each block', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(VOTER, ROLES.voter))
    chain.does('setAccount', setAccount(ADMIN, ROLES.voter, { organisation: BANK_A }))
    const history: [number, number][] = [[7, 2]]
    const some = Array.from({ length: 19 }, (_, i) => [21 + i, i % 5] as const)
    for (const [height, votes] of [[9, 5], [9, 6], [20, 6], ...some, [40, 8]] as const) {
      chain.at(height)
      chain.does('setOrganisation', [BANK_B, 'Bank B', votes, 1, 0])
      history.push([height, votes])
    }
    chain.at(50)
    for (let height = 0; height < 50; height++) {
      const votes = history.findLast(([from]) => from <= height)?.[1] ?? 0
      expect(chain.tells('votesAt', [BANK_B, height])).toBe(BigInt(votes))
      expect(chain.tells('totalVotesAt', [height])).toBe(BigInt(votes + (height < 7 ? 0 : 1)))
    }
    expect(chain.refusal('votesAt', [BANK_B, 50])[0]).toBe('Invalid')
    expect(chain.tells('votesAt', [idOfName('nobody')!, 3])).toBe(0n)
  })
})

describe('accounts', () => {
  it('are entered by the governor with any roles, and counted', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(VOTER, ROLES.voter | ROLES.admin))
    chain.does('setAccount', setAccount(CLERK, ROLES.sender, { expiry: 1_700_000_001 }))
    expect(chain.tells('organisation', [BANK_B])).toMatchObject({ 6: 2, 7: 1 })
    expect(chain.tells('votesAs', [VOTER])).toBe(BANK_B)
    expect(chain.tells('votesAs', [CLERK])).toBe(ZERO_HASH)
    expect(chain.tells('hasRole', [CLERK, ROLES.sender])).toBe(true)
    expect(chain.tells('standingOf', [CLERK])).toBe('active')
    chain.at(8, 1_700_000_001_000)
    expect(chain.tells('standingOf', [CLERK])).toBe('expired')
    expect(chain.tells('hasRole', [CLERK, ROLES.sender])).toBe(false)
    chain.does('removeAccount', [CLERK])
    expect(chain.tells('organisation', [BANK_B])).toMatchObject({ 6: 1, 7: 1 })
  })

  it('are moved to another organisation by the governor alone', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(CLERK, ROLES.sender, { organisation: BANK_A }))
    chain.does('setAccount', setAccount(CLERK, ROLES.sender))
    expect([BANK_A, BANK_B].map((id) => (chain.tells('organisation', [id]) as readonly number[])[6])).toEqual([2, 1])
  })

  it('keep the last voter of an organisation with votes', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(VOTER, ROLES.voter))
    for (const change of [
      setAccount(VOTER, 0),
      setAccount(VOTER, ROLES.voter, { suspended: true }),
      setAccount(VOTER, ROLES.voter, { organisation: BANK_A }),
    ])
      expect(chain.refusal('setAccount', change)).toEqual(['Refused', expect.stringContaining('the last voter')])
    expect(chain.refusal('removeAccount', [VOTER])[0]).toBe('Refused')
    chain.does('setAccount', setAccount(CLERK, ROLES.voter))
    chain.does('removeAccount', [VOTER])
  })

  it.each([
    ['the zero address', setAccount(account(0), 1)],
    ['roles without a meaning', setAccount(CLERK, 256)],
    ['a voter that expires', setAccount(CLERK, ROLES.voter, { expiry: 1 })],
  ])('are refused with %s', (_what, args) => {
    expect(new Chain().refusal('setAccount', args)[0]).toBe('Invalid')
  })

  it('belong to an organisation that exists', () => {
    expect(new Chain().refusal('setAccount', setAccount(CLERK, 1, { organisation: idOfName('none')! }))[0]).toBe(
      'UnknownOrganisation',
    )
  })
})

describe('an admin', () => {
  const start = (roles = ROLES.admin | ROLES.sender | ROLES.operator) => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(ADMIN, roles))
    return chain
  }

  it('offers entries in its organisation, which hold once the address accepts', () => {
    const chain = start()
    expect(chain.does('setAccount', setAccount(CLERK, ROLES.sender), ADMIN)).toEqual(['AccountOffered'])
    expect(chain.tells('account', [CLERK])).toMatchObject({ 0: false })
    expect(chain.refusal('acceptEntry', [BANK_A], CLERK)[0]).toBe('Refused')
    expect(chain.does('acceptEntry', [BANK_B], CLERK)).toEqual(['AccountChanged'])
    expect(chain.tells('account', [CLERK])).toEqual([true, BANK_B, ROLES.sender, 0n, false])
    expect(chain.does('setAccount', setAccount(CLERK, ROLES.sender, { suspended: true }), ADMIN)).toEqual(['AccountChanged'])
    expect(chain.refusal('acceptEntry', [BANK_B], CLERK)[0]).toBe('Refused')
  })

  it('cannot take or suspend what belongs to another organisation', () => {
    const chain = start()
    chain.does('setAccount', setAccount(CLERK, ROLES.sender, { organisation: BANK_A }))
    expect(chain.does('setAccount', setAccount(CLERK, ROLES.sender, { suspended: true }), ADMIN)).toEqual(['AccountOffered'])
    expect(chain.refusal('acceptEntry', [BANK_B], CLERK)).toEqual(['Refused', expect.stringContaining('another organisation')])
    expect(chain.refusal('removeAccount', [CLERK], ADMIN)[0]).toBe('NotAllowed')
    expect(chain.refusal('setAccount', setAccount(OTHER, ROLES.sender, { organisation: BANK_A }), ADMIN)[0]).toBe('NotAllowed')
  })

  it.each([
    ['voter', ROLES.voter],
    ['a role that the organisation may not give, though it has it', ROLES.operator],
    ['a role that it lacks, though the organisation may give it', ROLES.deployer],
    ['a role of the consortium', 2 ** 31],
  ])('cannot give %s', (_what, role) => {
    expect(start().refusal('setAccount', setAccount(CLERK, role), ADMIN)[0]).toBe('NotAllowed')
  })

  it('can give admin where its organisation may, and cannot touch entries with more than it may give', () => {
    const chain = start()
    chain.does('setAccount', setAccount(CLERK, ROLES.admin), ADMIN)
    chain.does('setAccount', setAccount(VOTER, ROLES.voter | ROLES.sender))
    expect(chain.refusal('setAccount', setAccount(VOTER, ROLES.sender), ADMIN)[0]).toBe('NotAllowed')
    expect(chain.refusal('removeAccount', [VOTER], ADMIN)[0]).toBe('NotAllowed')
  })

  it.each([
    ['suspended', { suspended: true }],
    ['expired', { expiry: 1_700_000_000 }],
  ])('that is %s can do nothing', (_what, rest) => {
    const chain = start()
    chain.does('setAccount', setAccount(ADMIN, ROLES.admin | ROLES.sender, rest))
    expect(chain.refusal('setAccount', setAccount(CLERK, ROLES.sender), ADMIN)[0]).toBe('NotAllowed')
  })

  it('of a suspended organisation can do nothing', () => {
    const chain = start()
    chain.does('suspendOrganisation', [BANK_B, true])
    expect(chain.refusal('setAccount', setAccount(CLERK, ROLES.sender), ADMIN)[0]).toBe('NotAllowed')
  })

  it('registers and removes observers of its organisation only', () => {
    const chain = start()
    chain.does('setNode', ['obs', 'observer', BANK_B, ['/ip4/10.0.0.1/tcp/1']], ADMIN)
    expect(chain.tells('node', ['obs'])).toEqual([true, 'observer', BANK_B, ['/ip4/10.0.0.1/tcp/1']])
    expect(chain.refusal('setNode', ['v', 'validator', BANK_B, []], ADMIN)[0]).toBe('NotAllowed')
    expect(chain.refusal('setNode', ['peer', 'observer', BANK_B, []], ADMIN)[0]).toBe('NotAllowed')
    expect(chain.refusal('removeNode', ['peer'], ADMIN)[0]).toBe('NotAllowed')
    chain.does('removeNode', ['obs'], ADMIN)
    expect(chain.refusal('removeNode', ['obs'], ADMIN)).toEqual(['UnknownNode', 'obs'])
  })
})

describe('nodes', () => {
  it.each([
    ['a kind that does not exist', ['p', 'king', BANK_B, []]],
    ['no peer id', ['', 'observer', BANK_B, []]],
    ['a long peer id', ['x'.repeat(65), 'observer', BANK_B, []]],
    ['a peer id with spaces', ['a b', 'observer', BANK_B, []]],
    ['too many addresses', ['p', 'observer', BANK_B, Array(9).fill('/ip4/10.0.0.1/tcp/1')]],
    ['a long address', ['p', 'observer', BANK_B, ['x'.repeat(129)]]],
  ])('are refused with %s', (_what, args) => {
    expect(new Chain().refusal('setNode', args)[0]).toBe('Invalid')
  })

  it('from which a validator votes cannot be removed or given away', () => {
    const chain = new Chain()
    expect(chain.refusal('removeNode', ['peer'])[0]).toBe('Refused')
    expect(chain.refusal('setNode', ['peer', 'observer', BANK_A, []])[0]).toBe('Refused')
    expect(chain.does('setNode', ['peer', 'validator', BANK_A, ['/dns4/a/tcp/1']])).toEqual(['NodeChanged'])
  })

  it('get other addresses from an operator of their organisation', () => {
    const chain = new Chain()
    chain.does('setAccount', setAccount(CLERK, ROLES.operator, { organisation: BANK_A }))
    chain.does('setNodeAddresses', ['peer', ['/dns4/b/tcp/1']], CLERK)
    expect(chain.tells('node', ['peer'])).toMatchObject({ 3: ['/dns4/b/tcp/1'] })
    chain.does('setAccount', setAccount(CLERK, ROLES.operator))
    expect(chain.refusal('setNodeAddresses', ['peer', []], CLERK)[0]).toBe('NotAllowed')
  })

  it('fill a registry of 512 with all addresses, of which one is changed for at most 200,000 gas', () => {
    const chain = new Chain()
    const address = (n: number) => `/dns4/${'x'.repeat(110)}/tcp/${n}`
    for (let i = 1; i < LIMITS.nodesMax; i++)
      chain.does('setNode', [
        `12D3KooW${String(i).padStart(44, '0')}`,
        'observer',
        BANK_B,
        Array.from({ length: 8 }, (_, n) => address(n)),
      ])
    expect(chain.refusal('setNode', ['one-more', 'observer', BANK_B, []])[0]).toBe('Refused')
    const changed = Array.from({ length: 8 }, (_, n) => address(n + 9))
    const ticks = chain.gas('setNodeAddresses', [`12D3KooW${'7'.padStart(44, '0')}`, changed])
    expect(ticks / 10).toBeLessThan(200_000)
  })
})

describe('rules', () => {
  it('are changed one by one', () => {
    const chain = new Chain()
    expect(chain.does('setParameter', ['blockIntervalMs', 700])).toEqual(['ParameterChanged'])
    chain.does('setParameter', ['feePolicy', 1])
    chain.does('setParameter', ['initialBaseFee', 10n ** 30n])
    chain.does('setPolicy', ['deploying', 'members'])
    expect(recordIn(chain.journal, SYSTEM_RECORDS.parameters)).toMatchObject({
      blockIntervalMs: 700,
      feePolicy: 'burn',
      initialBaseFee: 10n ** 30n,
    })
    expect(chain.tells('parameter', ['feePolicy'])).toBe(1n)
    expect(chain.tells('policy', ['deploying'])).toBe('members')
    chain.does('setRoleName', [16, 'teller'])
    expect(chain.tells('roleName', [16])).toBe('teller')
  })

  it.each([
    ['setParameter', ['toString', 1]],
    ['setParameter', ['blockIntervalMs', 1]],
    ['setParameter', ['blockIntervalMs', 2n ** 255n]],
    ['setParameter', ['heartbeatIntervalMs', 100]],
    ['setParameter', ['feePolicy', 3]],
    ['setParameter', ['initialBaseFee', 0]],
    ['setParameter', ['transactionGasMax', 3_000_000]],
    ['setParameter', ['blockGasMax', 7_000_000]],
    ['setParameter', ['validatorsMax', 0]],
    ['setPolicy', ['writing', 'open']],
    ['setPolicy', ['sending', 'closed']],
    ['setRoleName', [15, 'x']],
    ['setRoleName', [16, 'x'.repeat(32)]],
    ['setRoleName', [16, 'é']],
  ])('%s %o is refused', (name, args) => {
    expect(new Chain().refusal(name, args)[0]).toBe('Invalid')
  })
})

it('leaves every record readable', () => {
  const chain = new Chain()
  for (const record of Object.values(SYSTEM_RECORDS))
    expect(codec.decode(record.codec as codec.Codec<unknown>, chain.journal.storage(SYSTEM_ADDRESS, record.key)!).ok).toBe(true)
})
