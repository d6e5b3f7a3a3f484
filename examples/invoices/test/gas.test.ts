import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { nameToBytes } from '../src/ledger.ts'
import { BUYER, DAY, SUPPLIER, stage, TERMS } from './stage.ts'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
/** Gas by call, from the table of the README. */
const written = new Map(
  [...README.matchAll(/^\| `(\w+)` \|[^|]*\| ([\d,]+) \|$/gm)].map(([, name, gas]) => [name!, Number(gas!.replaceAll(',', ''))]),
)

const { chain, who, ledger } = await stage()
await ledger.write.issue([SUPPLIER, BUYER, 9n, chain.block.timestamp + DAY, nameToBytes('earlier')], { from: who.issuer })
const measured = new Map<string, number>()
const record = (name: string, { gasUsed }: { readonly gasUsed: bigint }) => measured.set(name, Number(gasUsed))

const [due, from] = [chain.block.timestamp + 30n * DAY, { from: who.payer }] as const
record('setRoles', await ledger.write.setRoles([BUYER, who.stranger, 8], { from: who.buyerAdmin }))
record('issue', await ledger.write.issue([SUPPLIER, BUYER, 100n, due, nameToBytes('R-1')], { from: who.issuer }))
record('approve', await ledger.write.approve([2n], { from: who.approver }))
record('pay', await ledger.write.pay([2n, 40n], from))
record('dispute', await ledger.write.dispute([2n, 'broken'], { from: who.auditor }))
record('resolve', await ledger.write.resolve([2n, 90n], { from: who.issuer }))
const [kept, lost] = [nameToBytes('order-1'), nameToBytes('order-2')]
record('place', await ledger.write.place([kept, TERMS], from))
record('accept', await ledger.write.accept([kept], { from: who.issuer }))
record('ship', await ledger.write.ship([kept], { from: who.dispatcher }))
record('confirm', await ledger.write.confirm([kept], { from: who.approver }))
await ledger.write.place([lost, TERMS], from)
await ledger.write.accept([lost], { from: who.issuer })
await chain.increaseTime(3_600)
record('compensate', await ledger.write.compensate([lost], { from: who.stranger }))

const roles = (value: number) => ledger.write.setRoles([BUYER, who.stranger, value], { from: who.buyerAdmin })
const [first, second] = await chain.batch(() => [roles(16), roles(24)])
const inText = (pattern: RegExp) => Number(pattern.exec(README)![1]!.replaceAll(',', ''))

describe('the gas in the README', () => {
  it('is that of every call', () => expect([...written.keys()].sort()).toEqual([...measured.keys()].sort()))

  it.each([...measured])('%s takes %i', (name, gas) => {
    expect(written.get(name)).toBeGreaterThan(gas * 0.95)
    expect(written.get(name)).toBeLessThan(gas * 1.05)
  })

  it('of later calls in a block, and of the deployment, is that in the text', () => {
    const less = Number(first.gasUsed - second.gasUsed)
    expect(Math.abs(inText(/take about ([\d,]+) less/) - less)).toBeLessThan(less * 0.05)
    const deployment = Number(chain.gas.of('ledger', '(deployment)')!.last)
    expect(Math.abs(inText(/deployment takes ([\d,]+)/) - deployment)).toBeLessThan(deployment * 0.05)
  })
})
