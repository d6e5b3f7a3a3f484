import '@quoin/contracts/testing/matchers'
import { beforeAll, describe, expect, it } from 'vitest'
import { ALL_ROLES, ROLE } from '../contracts/shared/roles.ts'
import { BUYER, SUPPLIER, stage } from './stage.ts'

const ZERO = '0x0000000000000000000000000000000000000000'
let { who, ledger } = {} as Awaited<ReturnType<typeof stage>>
beforeAll(async () => {
  ;({ who, ledger } = await stage())
})
const roles = (organisation: bigint, member: `0x${string}`, value: number, from: `0x${string}`) =>
  ledger.write.setRoles([organisation, member, value], { from })

describe('organisations', () => {
  it('are admitted by the owner of the ledger only, with a name and accounts that can be paid', async () => {
    const admit = (name: string, admin: `0x${string}`, account: `0x${string}`, from = who.owner) =>
      ledger.write.admit([name, admin, account], { from })
    await expect(admit('X', who.stranger, who.stranger, who.stranger)).toRevertWith('OwnableUnauthorizedAccount')
    for (const name of ['', 'x'.repeat(65), 'ü'.repeat(33)])
      await expect(admit(name, who.stranger, who.stranger)).toRevertWith('InvalidName', [name])
    for (const account of [ZERO, ledger.address] as const) {
      await expect(admit('X', who.stranger, account)).toRevertWith('InvalidAccount', [account])
      await expect(admit('X', account, who.stranger)).toRevertWith('InvalidAccount', [account])
    }
    expect(await admit('x'.repeat(64), who.stranger, who.stranger)).toEmit(ledger, 'Admitted', { organisation: 4n })
    expect(await ledger.read.organisation([4n])).toEqual(['x'.repeat(64), who.stranger])
    await expect(ledger.read.organisation([5n])).toRevertWith('NoSuchOrganisation', [5n])
  })

  it('are ruled by their own admins only', async () => {
    for (const from of [who.owner, who.supplierAdmin, who.approver, who.stranger])
      await expect(roles(BUYER, who.stranger, ROLE.PAYER, from)).toRevertWith('MissingRole', [BUYER, from, ROLE.ADMIN])
    expect(await roles(BUYER, who.stranger, ROLE.PAYER | ROLE.AUDITOR, who.buyerAdmin)).toEmit(ledger, 'RolesSet', {
      ...{ organisation: BUYER, member: who.stranger, roles: 24 },
    })
    expect(await ledger.read.rolesOf([BUYER, who.stranger])).toBe(24)
    expect(await ledger.read.rolesOf([SUPPLIER, who.stranger])).toBe(0)
    await roles(BUYER, who.stranger, 0, who.buyerAdmin)
    expect(await ledger.read.rolesOf([BUYER, who.stranger])).toBe(0)
    await expect(roles(BUYER, who.stranger, ALL_ROLES + 1, who.buyerAdmin)).toRevertWith('UnknownRoles', [64])
  })

  it('never lose their last admin', async () => {
    await expect(roles(BUYER, who.buyerAdmin, ROLE.PAYER, who.buyerAdmin)).toRevertWith('OwnAdminRole', [BUYER, who.buyerAdmin])
    await roles(BUYER, who.buyerAdmin, ALL_ROLES, who.buyerAdmin)
    await roles(BUYER, who.auditor, ROLE.ADMIN, who.buyerAdmin)
    await roles(BUYER, who.buyerAdmin, 0, who.auditor)
    await expect(roles(BUYER, who.auditor, 0, who.auditor)).toRevertWith('OwnAdminRole')
  })

  it('choose the account that is paid, but never the ledger itself', async () => {
    const set = (account: `0x${string}`, from = who.supplierAdmin) => ledger.write.setAccount([SUPPLIER, account], { from })
    await expect(set(who.stranger, who.issuer)).toRevertWith('MissingRole', [SUPPLIER, who.issuer, ROLE.ADMIN])
    for (const account of [ZERO, ledger.address] as const) await expect(set(account)).toRevertWith('InvalidAccount', [account])
    expect(await set(who.stranger)).toEmit(ledger, 'AccountSet', { organisation: SUPPLIER, account: who.stranger })
    expect(await ledger.read.organisation([SUPPLIER])).toEqual(['Supplier', who.stranger])
  })
})
