import { Contract, type EventLog, FallbackProvider, JsonRpcProvider, keccak256, Network, Wallet } from 'ethers'
import { Database, note, task, wait } from './database.ts'

const database = new Database(task.directory)
const network = Network.from(31_337)
const nodes = task.urls.map(
  (url) => new JsonRpcProvider(url, network, { staticNetwork: network, cacheTimeout: -1, batchMaxCount: 1 }),
)
// One answer is enough: with more, one node that is behind stops everything.
const provider = new FallbackProvider(nodes, network, { quorum: 1, cacheTimeout: -1 })
const wallet = new Wallet(task.key, provider)
const contract = new Contract(task.address, ['event Counted(uint256 indexed number)'], provider)

/** Signed once, and stored before it leaves: a second signature would have another nonce, and pay twice. */
async function signed(): Promise<string> {
  const known = database.get('rent')
  if (known !== undefined) return known
  const { from: _, ...request } = await wallet.populateTransaction({ to: task.payee, value: 1n })
  const raw = await wallet.signTransaction(request)
  database.commit([], 'rent', raw)
  return raw
}

async function pay(): Promise<void> {
  for (;;) {
    try {
      const raw = await signed()
      const hash = keccak256(raw)
      if ((await provider.getTransactionReceipt(hash)) !== null) {
        process.stdout.write(`paid ${hash}\n`)
        return
      }
      await provider.broadcastTransaction(raw)
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
      const from = Number(database.get('position') ?? 0)
      const head = await provider.getBlockNumber()
      const to = Math.min(head, from + 999)
      if (to >= from) {
        const logs = (await contract.queryFilter('Counted', from, to)) as EventLog[]
        database.commit(
          logs.map(({ args }) => String(args['number'])),
          'position',
          String(to + 1),
        )
      }
      if (to === head) await wait(500)
    } catch (error) {
      // A node that is down, or behind the one that told the head.
      note(error)
      await wait(500)
    }
  }
}

await Promise.all([pay(), follow()])
