import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CUSTOM_ROLE_BIT_MAX,
  CUSTOM_ROLE_BIT_MIN,
  hasAnyRole,
  hasRoles,
  PROTOCOL_ROLES,
  ROLE_NAMES,
  ROLES,
  rolesProblem,
} from './roles.ts'

const bits = (roles: number) => Array.from({ length: 32 }, (_, bit) => Math.floor(roles / 2 ** bit) % 2 === 1)
const anyRoles = fc.oneof(
  fc.nat(2 ** 32 - 1),
  fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1),
  fc.nat(31).map((bit) => 2 ** bit),
)

describe('roles', () => {
  it('are bits of their own below those of the consortium', () => {
    expect(ROLE_NAMES).toEqual(['admin', 'voter', 'sender', 'deployer', 'operator', 'reader', 'auditor'])
    expect(ROLE_NAMES.map((name) => Math.log2(ROLES[name]))).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(PROTOCOL_ROLES).toBe(127)
    expect([CUSTOM_ROLE_BIT_MIN, CUSTOM_ROLE_BIT_MAX]).toEqual([16, 31])
  })

  it('are compared bit by bit, the highest included, whatever the sign of the numbers', () => {
    fc.assert(
      fc.property(anyRoles, anyRoles, fc.boolean(), (roles, wanted, isSigned) => {
        const given = isSigned ? roles | 0 : roles
        const [have, want] = [bits(roles), bits(wanted)]
        expect(hasRoles(given, wanted)).toBe(want.every((isWanted, bit) => !isWanted || have[bit]))
        expect(hasAnyRole(given, wanted)).toBe(want.some((isWanted, bit) => isWanted && have[bit]))
      }),
    )
  })

  it('have a meaning in all but bits 7 to 15', () => {
    fc.assert(
      fc.property(anyRoles, (roles) => {
        expect(rolesProblem(roles) === undefined).toBe(bits(roles).every((isSet, bit) => !isSet || bit < 7 || bit > 15))
      }),
    )
  })
})
