import { QueryClient } from '@tanstack/react-query'
import { type BaseError, createClient, http, parseAbi, type TransactionReceipt } from 'viem'
import { expectTypeOf, it } from 'vitest'
import {
  type ReadAt,
  type SendError,
  type SendUpdate,
  type StreamHead,
  streamBlocks,
  streamContractEvents,
  type TrackedSends,
} from '../index.ts'
import { contractStateOptions, useContractState, useSend, useStream } from './index.ts'

const abi = parseAbi([
  'struct Invoice { address payer; uint256 amount; bool open; }',
  'function openOf(uint256 id) view returns (uint256)',
  'function total() view returns (uint256)',
  'function invoice(uint256 id) view returns (Invoice)',
  'function counts() view returns (uint8 open, uint256 paid)',
  'function pay(uint256 id, uint256 amount) payable',
  'function close()',
  'event Paid(uint256 indexed id, address payer)',
  'event Named(string name)',
])
const ledger = { abi, address: '0x0000000000000000000000000000000000000001' } as const
const client = createClient({ transport: http('http://localhost') })

it('the state of a contract has the type that its ABI says', () => {
  const open = useContractState({ ...ledger, functionName: 'openOf', args: [7n] })
  expectTypeOf(open.data).toEqualTypeOf<bigint | undefined>()
  expectTypeOf(open.blockNumber).toEqualTypeOf<bigint | undefined>()
  expectTypeOf(open.error).toEqualTypeOf<BaseError | null>()
  if (open.status === 'success') expectTypeOf(open.data).toEqualTypeOf<bigint>()
  const { data: invoice } = useContractState({ ...ledger, functionName: 'invoice', args: [7n] })
  expectTypeOf(invoice!.payer).toEqualTypeOf<`0x${string}`>()
  expectTypeOf(invoice!.open).toEqualTypeOf<boolean>()
  const { data: counts } = useContractState({ ...ledger, functionName: 'counts' })
  expectTypeOf(counts).toEqualTypeOf<readonly [number, bigint] | undefined>()
  useContractState({ ...ledger, functionName: 'total', chainId: 5, enabled: false })
  // The address may not be known yet.
  useContractState({ abi, address: undefined, functionName: 'total' })
})

it('the state of a contract takes no other names and arguments than those of its ABI', () => {
  // @ts-expect-error there is no such function
  useContractState({ ...ledger, functionName: 'openedOf', args: [7n] })
  // @ts-expect-error a function that writes is no state
  useContractState({ ...ledger, functionName: 'pay', args: [7n, 1n] })
  // @ts-expect-error a text is no uint256
  useContractState({ ...ledger, functionName: 'openOf', args: ['7'] })
  // @ts-expect-error an argument is missing
  useContractState({ ...ledger, functionName: 'openOf' })
  // @ts-expect-error there is one argument
  useContractState({ ...ledger, functionName: 'openOf', args: [7n, 8n] })
  // @ts-expect-error the address is missing
  useContractState({ abi, functionName: 'total' })
  // @ts-expect-error an address begins with 0x
  useContractState({ abi, address: 'ledger', functionName: 'total' })
})

it('a prefetched read has the type that its ABI says', async () => {
  const options = contractStateOptions(client, { ...ledger, functionName: 'openOf', args: [7n] })
  expectTypeOf(await new QueryClient().query(options)).toEqualTypeOf<ReadAt<bigint>>()
  // @ts-expect-error a text is no uint256
  contractStateOptions(client, { ...ledger, functionName: 'openOf', args: ['7'] })
})

it('a stream has the items of what it opens', () => {
  const paid = useStream({
    key: ['paid', 7n],
    open: (reader, signal) => streamContractEvents(reader, { ...ledger, eventName: 'Paid', args: { id: 7n }, signal }),
  })
  expectTypeOf(paid.items[0]!.args).toEqualTypeOf<{ id: bigint; payer: `0x${string}` }>()
  expectTypeOf(paid.items[0]!.eventName).toEqualTypeOf<'Paid'>()
  expectTypeOf(paid.head).toEqualTypeOf<StreamHead | undefined>()
  expectTypeOf(paid.error).toEqualTypeOf<Error | null>()
  expectTypeOf(paid.status).toEqualTypeOf<'pending' | 'live' | 'error'>()
  const numbers = useStream({ key: [], open: (reader, signal) => streamBlocks(reader, { signal }).map(({ number }) => number) })
  expectTypeOf(numbers.items).toEqualTypeOf<readonly bigint[]>()
  // @ts-expect-error the ABI has no such event
  useStream({ key: [], open: (reader) => streamContractEvents(reader, { ...ledger, eventName: 'Lost' }) })
  // @ts-expect-error a stream must be opened, not awaited
  useStream({ key: [], open: async (reader) => streamBlocks(reader) })
})

it('a send takes what the ABI says, and ends with a receipt or a SendError', () => {
  const send = useSend(undefined as TrackedSends | undefined)
  send.writeContract({ ...ledger, functionName: 'pay', args: [7n, 250n], value: 1n, id: 'pay-7', gas: 1n, deadlineMs: 1 })
  expectTypeOf(send.writeContractAsync({ ...ledger, functionName: 'close' })).toEqualTypeOf<Promise<TransactionReceipt>>()
  expectTypeOf(send.sendTransactionAsync({ to: ledger.address, value: 1n })).toEqualTypeOf<Promise<TransactionReceipt>>()
  expectTypeOf(send.data).toEqualTypeOf<TransactionReceipt | undefined>()
  expectTypeOf(send.error).toEqualTypeOf<SendError | null>()
  expectTypeOf(send.update).toEqualTypeOf<SendUpdate | undefined>()
  expectTypeOf(send.cancel()).toEqualTypeOf<Promise<boolean>>()
  // @ts-expect-error a text is no uint256
  send.writeContract({ ...ledger, functionName: 'pay', args: [7n, '250'] })
  // @ts-expect-error an argument is missing
  send.writeContract({ ...ledger, functionName: 'pay', args: [7n] })
  // @ts-expect-error a view is read, not sent
  send.writeContract({ ...ledger, functionName: 'total' })
  // @ts-expect-error there is no such function
  void send.writeContractAsync({ ...ledger, functionName: 'paid', args: [7n, 250n] })
  // @ts-expect-error `cancel` takes a send back
  send.writeContract({ ...ledger, functionName: 'close', signal: new AbortController().signal })
  // @ts-expect-error `cancel` takes a send back
  send.sendTransaction({ to: ledger.address, signal: new AbortController().signal })
})
