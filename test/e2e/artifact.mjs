// How viem types an artifact without changes; runs in the tutorial's project, with the URL of a chain.
import { createWalletClient, decodeErrorResult, getContract, http, publicActions } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { abi, bytecode } from '../artifacts/fund.js'

const account = mnemonicToAccount('test test test test test test test test test test test junk')
const transport = http(process.argv[2])
const client = createWalletClient({ account, chain: foundry, transport, pollingInterval: 50 }).extend(publicActions)

const hash = await client.deployContract({ abi, bytecode, args: [100n, 2n ** 63n] })
const { contractAddress: address } = await client.waitForTransactionReceipt({ hash })
const fund = getContract({ address, abi, client })

const given = new Promise((resolve, reject) => {
  const stop = client.watchContractEvent({
    address,
    abi,
    eventName: 'Given',
    fromBlock: 0n,
    onError: reject,
    onLogs: ([{ args }]) => {
      stop()
      resolve(args)
    },
  })
})
await client.waitForTransactionReceipt({ hash: await fund.write.give({ value: 30n }) })
const { giver, amount } = await given

const { status, revertReason } = await client.waitForTransactionReceipt({ hash: await fund.write.collect({ gas: 5_000_000n }) })
const { errorName, args } = decodeErrorResult({ abi, data: revertReason })
console.log(
  JSON.stringify({ giver, amount: `${amount}`, total: `${await fund.read.total()}`, status, errorName, args: args.map(String) }),
)
