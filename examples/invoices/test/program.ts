import { trackedSends } from '@quoin/sdk'
import { fileStore } from '@quoin/sdk/store/node'
import { createClient, type Hex, http } from 'viem'
import { foundry } from 'viem/chains'
import { accountOf, PEOPLE } from '../scripts/accounts.mjs'
import { driveOrders, type Party } from '../src/driver/driver.ts'
import type { OpenOrder, Step } from '../src/driver/order.ts'
import { bytesToName, ledgerAbi, nameToBytes } from '../src/ledger.ts'
import { abandoned, nameOf, type Task, termsOf } from './scenario.ts'

/**
 * A program that is killed: `program '<Task>'`. It places orders as the buyer and drives them for all three parties, until all have ended. It prints
 * `ready`, a line for each thing that it did or saw, and at the end `totals <settled> <compensated>`.
 */
async function main({ url, directory, ledger, token, block, count }: Task): Promise<void> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  const store = await fileStore(directory)
  const client = createClient({ chain: foundry, transport: http(url, { retryCount: 0 }) })
  const sendsOf = (person: { readonly index: number }) =>
    trackedSends({ client, account: accountOf(person), store, deadlineMs: 600_000, pollingIntervalMs: 50 })
  const [supplier, buyer, carrier, anybody] = [PEOPLE.supplier, PEOPLE.buyer, PEOPLE.carrier, { index: 9 }].map(sendsOf)
  const all = [supplier!, buyer!, carrier!, anybody!]

  const place = async (k: number): Promise<void> => {
    const call = { abi: ledgerAbi, address: ledger, functionName: 'place', args: [nameToBytes(nameOf(k)), termsOf(k)] } as const
    await buyer!.writeContract({ ...call, gas: 600_000n, id: `${nameOf(k)}:place` }).receipt
    print(`${nameOf(k)} placed`)
  }
  const numberOf = (id: Hex): number => Number(bytesToName(id).split('-')[1])
  const agrees = ({ id }: OpenOrder, step: Step): boolean => abandoned(numberOf(id)) !== step
  const parties: readonly Party[] = [
    { organisation: 1, sends: supplier!, agrees },
    { organisation: 2, sends: buyer!, agrees },
    { organisation: 3, sends: carrier!, agrees },
  ]
  const stop = new AbortController()
  const placing = Promise.all(Array.from({ length: count }, (_, k) => place(k)))
  print('ready')
  await driveOrders({
    ...{
      client,
      ledger: { address: ledger, token },
      fromBlock: BigInt(block),
      store,
      name: 'all',
      parties,
      compensates: anybody,
    },
    signal: stop.signal,
    onProgress(progress) {
      if (progress.kind === 'included') return print(`${bytesToName(progress.order.id)} ${progress.step} ${progress.hash}`)
      if (progress.kind === 'failed')
        return print(`${bytesToName(progress.order.id)} ${progress.step} failed ${String(progress.error)}`)
      const { settled, compensated } = progress.totals
      for (const { eventName, args } of progress.events) print(`${bytesToName(args.id)} saw ${eventName}`)
      print('watching')
      if (settled + compensated < count) return
      print(`totals ${settled} ${compensated}`)
      stop.abort(new Error('all orders have ended'))
    },
  })
  await placing
  await Promise.all(all.map((sends) => sends.close()))
  await store.close()
}

await main(JSON.parse(process.argv[2]!) as Task)
