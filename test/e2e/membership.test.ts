import { SYSTEM_ADDRESS } from '@quoin/execution'
import { bytesToHex, nobleCrypto as crypto, type Hash, type Height, idOfName, readyDigest, rotationDigest } from '@quoin/protocol'
import { type Abi, type Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { p2pAddress } from '../../packages/cli/src/devnet/genesis.ts'
import { CHAIN_ABI } from '../../packages/execution/src/contract/native/chain/chain-abi.ts'
import { developmentValidatorKey } from '../../packages/node/src/keys/development.ts'
import { account, developmentValidator, Network, type Validator, walletClient } from './harness.ts'
import { Load } from './load.ts'
import { until } from './watch.ts'

/*
 * A consortium changes while it works: four validators under load, and two machines that genesis does not name. The first account governs, as
 * on the devnet. Each step is an ordinary transaction of viem to the chain contract.
 */

const abi = CHAIN_ABI as Abi
const PORT = idOfName('port')!
const PORT_1 = idOfName('port-1')!
const chain = { address: SYSTEM_ADDRESS, abi } as const

let network: Network
let load: Load

beforeAll(async () => {
  network = await Network.create({ validators: 4, strangers: 2 })
  await network.startAll(network.validators.slice(0, 4))
  load = new Load(network, [1, 2, 3])
}, 60_000)

afterAll(async () => {
  await network?.close()
})

const old = (): readonly Validator[] => network.validators.slice(0, 4)
const [FIFTH, SIXTH] = [4, 5]
const node = (index: number): Validator => network.validators[index]!
/** The peer id of a machine that has been started, as it logs it. */
const peerIdOf = (index: number): string => /"peerId":"(\w+)"/.exec(node(index).log)![1]!

/** Calls a function of the chain contract as the governor; resolves with the height of its block. */
async function governs(functionName: string, ...args: readonly unknown[]): Promise<number> {
  const { client } = node(0)
  const wallet = walletClient(node(0).url, 0)
  const hash = await wallet.writeContract({ ...chain, functionName, args } as never)
  const receipt = await client.waitForTransactionReceipt({ hash })
  expect(receipt.status).toBe('success')
  return Number(receipt.blockNumber)
}

const tells = (functionName: string, ...args: readonly unknown[]): Promise<unknown> =>
  node(0).client.readContract({ ...chain, functionName, args } as never)

interface Shown {
  readonly power: bigint
  readonly powerNext: bigint
  readonly powerAfterNext: bigint
}

async function validator(id: Hash): Promise<Shown> {
  const all = (await tells('validator', id)) as readonly unknown[]
  return { power: all[3] as bigint, powerNext: all[8] as bigint, powerAfterNext: all[9] as bigint }
}

const genesisHash = async (): Promise<Hash> => (await node(0).client.getBlock({ blockNumber: 0n })).hash as Hash
const sign = (index: number, digest: Uint8Array): Hex =>
  bytesToHex(crypto.sign(digest, developmentValidatorKey(crypto, index)).signature)

/** Resolves when a validator with this fee address has proposed a block above a height. */
const proposes = (feeAddress: string, above: number) =>
  until(
    `a block of ${feeAddress}`,
    async () => {
      const height = await node(0).height()
      for (let at = Math.max(above + 1, height - 20); at <= height; at++)
        if ((await node(0).client.getBlock({ blockNumber: BigInt(at) })).miner === feeAddress.toLowerCase()) return true
      return false
    },
    { report: () => network.report() },
  )

describe('a consortium that changes while it works', () => {
  it('refuses a machine that the chain does not name', async () => {
    await node(FIFTH).start()
    await network.advance(5, old())
    expect(await node(FIFTH).height()).toBe(0)
  })

  it('admits it within a block once it is registered, from the registry alone', async () => {
    await governs('setOrganisation', PORT, 'Port of Ærø', 1, 1, 0)
    const peerId = peerIdOf(FIFTH)
    const registered = await governs('setNode', peerId, 'validator', PORT, [
      p2pAddress({ p2pPort: node(0).p2pPort } as never, FIFTH),
    ])
    await network.reach(registered + 3, [node(FIFTH)])
    await load.progress(50)
  })

  it('gives it power only after its key has signed that it is in use', async () => {
    const { publicKey } = developmentValidator(FIFTH)
    const fee = account(9).address
    const added = await governs('addValidator', PORT_1, PORT, bytesToHex(publicKey), 1n, fee, [peerIdOf(FIFTH)])
    await network.advance(5, old())
    expect(await validator(PORT_1)).toEqual({ power: 1n, powerNext: 0n, powerAfterNext: 0n })
    const domain = { genesisHash: await genesisHash(), restartEpoch: 0 }
    const signature = sign(FIFTH, readyDigest(crypto, domain, PORT_1, added as Height))
    // Anybody may bring the proof.
    const wallet = walletClient(node(1).url, 8)
    const hash = await wallet.writeContract({
      ...chain,
      functionName: 'ready',
      args: [PORT_1, BigInt(added), signature],
    } as never)
    const { status, blockNumber } = await node(1).client.waitForTransactionReceipt({ hash })
    expect(status).toBe('success')
    await network.reach(Number(blockNumber) + 3, old())
    expect(await validator(PORT_1)).toEqual({ power: 1n, powerNext: 1n, powerAfterNext: 1n })
    await proposes(fee, Number(blockNumber) + 1)
    await load.progress(50)
  })

  it('lets it go on from another machine under a new key', async () => {
    await node(SIXTH).start()
    const both = [peerIdOf(FIFTH), peerIdOf(SIXTH)]
    await governs('setNode', both[1], 'validator', PORT, [p2pAddress({ p2pPort: node(0).p2pPort } as never, SIXTH)])
    await governs('setPeerIds', PORT_1, both)
    await network.reach(await node(0).height(), [node(SIXTH)])
    const domain = { genesisHash: await genesisHash(), restartEpoch: 0 }
    const { publicKey } = developmentValidator(SIXTH)
    const signature = sign(SIXTH, rotationDigest(crypto, domain, PORT_1, developmentValidator(FIFTH).address))
    const rotated = await governs('rotateKey', PORT_1, bytesToHex(publicKey), signature)
    await network.reach(rotated + 3, old())
    // The old key votes no more: the chain does not miss it.
    await node(FIFTH).kill()
    await proposes(account(9).address, rotated + 2)
    await load.progress(50)
  })

  it('takes its power and its place in the network', async () => {
    const left = await governs('setPower', PORT_1, 0n)
    await network.reach(left + 3, old())
    expect(await validator(PORT_1)).toEqual({ power: 0n, powerNext: 0n, powerAfterNext: 0n })
    await governs('removeValidator', PORT_1)
    for (const index of [FIFTH, SIXTH]) await governs('removeNode', peerIdOf(index))
    await governs('setOrganisation', PORT, 'Port of Ærø', 0, 1, 0)
    await governs('removeOrganisation', PORT)
    const last = await node(SIXTH).height()
    await network.advance(8, old())
    expect(await node(SIXTH).height()).toBeLessThanOrEqual(last + 1)
    await load.stop()
    await network.agreement(old())
  })
})
