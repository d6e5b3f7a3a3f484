import { createChain } from '@quoin/contracts/testing'
import type { Hex } from 'viem'
import { ROLE } from '../contracts/shared/roles.ts'
import { artifacts } from './artifacts.ts'

export const DAY = 86_400n
/** What each paying account has, and the ledger may take. */
export const FUNDS = 1_000_000n

/** Numbers of the organisations. */
export const [SUPPLIER, BUYER, CARRIER] = [1n, 2n, 3n] as const

/** Terms of an order, with short deadlines: an hour for each step. */
export const TERMS = {
  ...{ buyer: BUYER, supplier: SUPPLIER, carrier: CARRIER, price: 1_000n, deposit: 300n },
  ...{ acceptSeconds: 3_600, shipSeconds: 3_600, confirmSeconds: 3_600, paymentDays: 30 },
} as const

/** An account for each task of each organisation. */
export const TASKS = [
  ...['owner', 'supplierAdmin', 'issuer', 'supplierAccount'],
  ...['buyerAdmin', 'approver', 'payer', 'auditor', 'buyerAccount'],
  ...['carrierAdmin', 'dispatcher', 'carrierAccount', 'stranger'],
] as const
export type Task = (typeof TASKS)[number]

/** A chain with a supplier, a buyer and a carrier. The supplier gives the buyer 10,000 of credit. */
export async function stage() {
  const chain = await createChain({ accounts: TASKS.length as 10 })
  const who = Object.fromEntries(TASKS.map((task, i) => [task, chain.accounts[i]!])) as Record<Task, Hex>
  const token = await chain.deploy(artifacts.token, { args: ['Euro', 'EUR', who.owner], from: who.owner })
  const ledger = await chain.deploy(artifacts.ledger, { args: [token.address, who.owner], from: who.owner })
  const admit = (name: string, admin: Hex, account: Hex) => ledger.write.admit([name, admin, account], { from: who.owner })
  await admit('Supplier', who.supplierAdmin, who.supplierAccount)
  await admit('Buyer', who.buyerAdmin, who.buyerAccount)
  await admit('Carrier', who.carrierAdmin, who.carrierAccount)
  await ledger.write.setRoles([SUPPLIER, who.issuer, ROLE.ISSUER], { from: who.supplierAdmin })
  await ledger.write.setRoles([BUYER, who.approver, ROLE.APPROVER], { from: who.buyerAdmin })
  await ledger.write.setRoles([BUYER, who.payer, ROLE.PAYER], { from: who.buyerAdmin })
  await ledger.write.setRoles([BUYER, who.auditor, ROLE.AUDITOR], { from: who.buyerAdmin })
  await ledger.write.setRoles([CARRIER, who.dispatcher, ROLE.DISPATCHER], { from: who.carrierAdmin })
  await ledger.write.setCreditLimit([SUPPLIER, BUYER, 10_000n], { from: who.supplierAdmin })
  await token.write.mint([who.payer, FUNDS], { from: who.owner })
  await token.write.approve([ledger.address, FUNDS], { from: who.payer })
  return { chain, who, ledger, token }
}
