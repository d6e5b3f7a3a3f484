import { createPublicClient, createWalletClient, fallback, http, keccak256, TransactionReceiptNotFoundError } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { abi, Database, note, task, wait } from './database.ts'

const database = new Database(task.directory)
const transport = fallback(task.urls.map((url) => http(url)))
const client = createPublicClient({ chain: foundry, transport, cacheTime: 0 })
const wallet = createWalletClient({ chain: foundry, transport, account: privateKeyToAccount(task.key) })

/** Signed once, and stored before it leaves: a second signature would have another nonce, and pay twice. */
async function signed(): Promise<`0x${string}`> {
  const known = database.get('rent') as `0x${string}` | undefined
  if (known !== undefined) return known
  const request = await wallet.prepareTransactionRequest({ to: task.payee, value: 1n })
  const raw = await wallet.signTransaction(request)
  database.commit([], 'rent', raw)
  return raw
}

async function pay(): Promise<void> {
  for (;;) {
    try {
      const serializedTransaction = await signed()
      const hash = keccak256(serializedTransaction)
      try {
        await client.getTransactionReceipt({ hash })
        process.stdout.write(`paid ${hash}\n`)
        return
      } catch (error) {
        if (!(error instanceof TransactionReceiptNotFoundError)) throw error
      }
      await client.sendRawTransaction({ serializedTransaction })
    } catch (error) {
      // A node that is down, a pool that has it already, a nonce that is used: the receipt decides.
      note(error)
    }
    await wait(100)
  }
}

async function follow(): Promise<void> {
  for (;;) {
    try {
      const fromBlock = BigInt(database.get('position') ?? 0)
      const head = await client.getBlockNumber()
      const toBlock = head < fromBlock + 999n ? head : fromBlock + 999n
      if (toBlock >= fromBlock) {
        const logs = await client.getContractEvents({
          ...{ abi, address: task.address, eventName: 'Counted', fromBlock, toBlock, strict: true },
        })
        database.commit(
          logs.map(({ args }) => String(args.number)),
          'position',
          String(toBlock + 1n),
        )
      }
      if (toBlock === head) await wait(500)
    } catch (error) {
      // A node that is down, or behind the one that told the head.
      note(error)
      await wait(500)
    }
  }
}

await Promise.all([pay(), follow()])
