import { hashKey } from '@tanstack/react-query'
import fc from 'fast-check'
import { type Address, createClient, custom, getAddress, parseAbi, toHex } from 'viem'
import { foundry } from 'viem/chains'
import { describe, expect, it } from 'vitest'
import { type ContractStateOptions, contractStateOptions } from './index.ts'

const abi = parseAbi([
  'struct Invoice { address payer; uint256 amount; }',
  'function openOf(uint256 id) view returns (uint256)',
  'function openOf(string id) view returns (uint256)',
  'function closedOf(uint256 id) view returns (uint256)',
  'function known(Invoice[] invoices) view returns (bool)',
])
const address: Address = '0x00000000000000000000000000000000000000aa'
const requests: string[] = []
const transport = custom({
  request: async ({ method }: { readonly method: string }) => {
    requests.push(method)
    throw new Error('this client has no node')
  },
})
const client = createClient({ chain: foundry, transport })
const hashOf = ({ queryKey }: ContractStateOptions<unknown>): string => hashKey(queryKey)
const openOf = (id: bigint) => hashOf(contractStateOptions(client, { abi, address, functionName: 'openOf', args: [id] }))

describe('the key of a read', () => {
  it('is the same for the same read, however it is written', () => {
    const invoices = fc.array(
      fc.record({ payer: fc.bigInt({ min: 0n, max: 2n ** 160n - 1n }), amount: fc.bigInt({ min: 0n, max: 9n }) }),
    )
    fc.assert(
      fc.property(invoices, fc.bigInt({ min: 0n, max: 2n ** 160n - 1n }), (list, at) => {
        const lower = toHex(at, { size: 20 })
        const payerOf = (number: bigint) => toHex(number, { size: 20 })
        const one = list.map(({ payer, amount }) => ({ payer: payerOf(payer), amount }))
        const other = list.map(({ payer, amount }) => ({ amount, payer: getAddress(payerOf(payer)) }))
        const known = (where: Address, args: readonly [typeof one]) =>
          hashOf(contractStateOptions(client, { abi: [...abi], address: where, functionName: 'known', args }))
        expect(known(lower, [one])).toBe(known(getAddress(lower), [other]))
      }),
    )
  })

  it('is another one for another chain, address, function, argument or kind of argument', () => {
    const at = (where: Address) =>
      hashOf(contractStateOptions(client, { abi, address: where, functionName: 'openOf', args: [7n] }))
    const elsewhere = createClient({ chain: { ...foundry, id: 5 }, transport })
    const hashes = [
      ...[openOf(7n), openOf(8n), at('0x00000000000000000000000000000000000000ab')],
      hashOf(contractStateOptions(elsewhere, { abi, address, functionName: 'openOf', args: [7n] })),
      hashOf(contractStateOptions(client, { abi, address, functionName: 'closedOf', args: [7n] })),
      hashOf(contractStateOptions(client, { abi, address, functionName: 'openOf', args: ['7'] })),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('is another one where the result is decoded otherwise', () => {
    const text = parseAbi(['function symbol() view returns (string)'])
    const bytes = parseAbi(['function symbol() view returns (bytes32)'])
    const read = { address, functionName: 'symbol' } as const
    expect(hashOf(contractStateOptions(client, { ...read, abi: text }))).not.toBe(
      hashOf(contractStateOptions(client, { ...read, abi: bytes })),
    )
  })

  it('is there for arguments that do not fit, and reading with them is refused as by viem', async () => {
    const wrong = (id: unknown) => contractStateOptions(client, { abi, address, functionName: 'closedOf', args: [id as bigint] })
    expect(hashOf(wrong(-1n))).not.toBe(hashOf(wrong(-2n)))
    expect(hashOf(wrong(undefined))).not.toBe(openOf(7n))
    const { signal } = new AbortController()
    await expect(wrong(-1n).queryFn({ signal })).rejects.toMatchObject({ name: 'IntegerOutOfRangeError' })
    expect(requests).toEqual([])
  })
})

it('a read ends with its signal', async () => {
  const controller = new AbortController()
  const read = contractStateOptions(client, { abi, address, functionName: 'closedOf', args: [7n] }).queryFn(controller)
  setImmediate(() => controller.abort(new Error('nobody waits any more')))
  await expect(read).rejects.toThrow('nobody waits any more')
})
