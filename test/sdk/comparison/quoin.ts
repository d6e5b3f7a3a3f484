import { cluster, streamContractEvents, trackedSends } from '@quoin/sdk'
import { fileStore } from '@quoin/sdk/store/node'
import { createClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { abi, Database, task } from './database.ts'

const database = new Database(task.directory)
const client = createClient({ chain: foundry, transport: cluster(task.urls) })
const store = await fileStore(`${task.directory}/sends`)
const sends = trackedSends({ client, account: privateKeyToAccount(task.key), store })

async function pay(): Promise<void> {
  const { transactionHash } = await sends.sendTransaction({ to: task.payee, value: 1n, id: 'rent' }).receipt
  process.stdout.write(`paid ${transactionHash}\n`)
}

async function follow(): Promise<void> {
  const events = { abi, address: task.address, eventName: 'Counted', from: { block: 0n } } as const
  const stream = streamContractEvents(client, { ...events, after: database.get('position') })
  for await (const { items, cursor } of stream.batches())
    database.commit(
      items.map(({ args }) => String(args.number)),
      'position',
      cursor,
    )
}

await Promise.all([pay(), follow()])
