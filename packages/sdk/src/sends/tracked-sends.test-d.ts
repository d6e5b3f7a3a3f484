import { createClient, http, type TransactionReceipt } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expectTypeOf, it } from 'vitest'
import { memoryStore, type Send, type SendUpdate, trackedSends } from '../index.ts'

const abi = [
  {
    type: 'function',
    name: 'pay',
    stateMutability: 'payable',
    inputs: [
      { name: 'id', type: 'uint256' },
      { name: 'note', type: 'string' },
    ],
    outputs: [],
  },
  { type: 'function', name: 'close', stateMutability: 'nonpayable', inputs: [], outputs: [] },
  { type: 'function', name: 'open', stateMutability: 'view', inputs: [], outputs: [{ type: 'bool' }] },
] as const

const address = '0x0000000000000000000000000000000000000001'
const client = createClient({ transport: http('http://localhost') })
const sends = trackedSends({ client, account: privateKeyToAccount(`0x${'1'.repeat(64)}`), store: memoryStore() })

it('infers the arguments of writeContract from the ABI', () => {
  const send = () => sends.writeContract({ address, abi, functionName: 'pay', args: [7n, 'may'], value: 1n, id: 'pay-7' })
  expectTypeOf<ReturnType<typeof send>>().toEqualTypeOf<Send>()
  sends.writeContract({ address, abi, functionName: 'close' })
  // @ts-expect-error a number is no uint256
  sends.writeContract({ address, abi, functionName: 'pay', args: [7, 'may'] })
  // @ts-expect-error an argument is missing
  sends.writeContract({ address, abi, functionName: 'pay', args: [7n] })
  // @ts-expect-error a view is read, not sent
  sends.writeContract({ address, abi, functionName: 'open' })
  // @ts-expect-error there is no such function
  sends.writeContract({ address, abi, functionName: 'paid', args: [7n] })
  // @ts-expect-error an id is a text
  sends.writeContract({ address, abi, functionName: 'close', id: 7 })
})

it('is no promise', () => {
  expectTypeOf<Send>().not.toExtend<PromiseLike<unknown>>()
  expectTypeOf<Send['receipt']>().toEqualTypeOf<Promise<TransactionReceipt>>()
  expectTypeOf<Send['updates']>().toEqualTypeOf<AsyncIterable<SendUpdate>>()
})
