import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SYSTEM_ADDRESS } from '@quoin/execution'
import { bytesToHex, type Hash } from '@quoin/protocol'
import type { Abi, Address } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHAIN_ABI } from '../../packages/execution/src/contract/native/chain/chain-abi.ts'
import { Flooder } from './flooder.ts'
import { developmentValidator, Network, type Validator } from './harness.ts'
import { startQuoin } from './program.ts'
import { until } from './watch.ts'

/*
 * Five validators, of which four run. The fifth one's key is in the hands of a program that signs two prevotes in each round and sends both
 * to the others.
 */

const LIAR = 4
const chain = { address: SYSTEM_ADDRESS as Address, abi: CHAIN_ABI as Abi } as const

interface Page {
  readonly evidence: readonly { readonly validator: string; readonly isReported: boolean }[]
  readonly onChain: readonly { readonly id: Hash; readonly reporter: string }[]
}

let network: Network
let liar: Flooder

const honest = (): readonly Validator[] => network.validators.slice(0, LIAR)
const evidenceOf = ({ client }: Validator): Promise<Page> =>
  client.request({ method: 'quoin_evidence', params: [] } as never) as Promise<Page>
const report = { report: () => network.report() }

/** Starts a node, or starts it again with other settings. */
async function restart(validator: Validator, args: readonly string[] = []): Promise<void> {
  if (validator.isRunning) await validator.stop()
  await validator.start({}, args)
}

beforeAll(async () => {
  liar = await Flooder.create('equivocator', developmentValidator(LIAR))
  network = await Network.create({ validators: 5, nodes: [liar.node] })
  await network.startAll(honest())
  const { hash } = await network.validators[0]!.client.getBlock({ blockNumber: 0n })
  await liar.join(network.genesis, hash as Hash)
}, 90_000)

afterAll(async () => {
  await liar?.close()
  await network?.close()
})

describe('a validator that signs twice', () => {
  it('is found out by every node, and no node forgets it when it starts again', async () => {
    // One round of votes for nil and for a block, at the present height and the next.
    liar.flood((self) => self.votes().slice(0, 2), 300)
    const isKnown = async (validator: Validator) => (await evidenceOf(validator)).evidence.length > 0
    await until('evidence on all nodes', async () => (await Promise.all(honest().map(isKnown))).every(Boolean), report)
    const { address } = developmentValidator(LIAR)
    for (const validator of honest()) {
      const { evidence, onChain } = await evidenceOf(validator)
      expect(new Set(evidence.map((one) => one.validator))).toEqual(new Set([address]))
      expect(onChain).toEqual([])
    }
    const last = network.validators[3]!
    const before = await evidenceOf(last)
    await restart(last)
    expect((await evidenceOf(last)).evidence.length).toBeGreaterThanOrEqual(before.evidence.length)
  })

  it('is reported by a node with an operator key, loses its place, and the chain goes on', async () => {
    const secret = bytesToHex(randomBytes(32)) as `0x${string}`
    const file = join(network.directory, 'operator-key')
    await writeFile(file, `${secret}\n`, { mode: 0o600 })
    const reporting = network.validators[0]!
    await restart(reporting, ['--operator-key-file', file])
    const isTaken = async (validator: Validator) => (await evidenceOf(validator)).onChain.length > 0
    await until('the report on all nodes', async () => (await Promise.all(honest().map(isTaken))).every(Boolean), report)
    const { onChain } = await evidenceOf(network.validators[2]!)
    const { id } = network.genesis.validators.get(developmentValidator(LIAR).address)!
    expect(onChain).toEqual([expect.objectContaining({ id, reporter: privateKeyToAccount(secret).address.toLowerCase() })])
    await network.advance(5, honest())
    const shown = (await reporting.client.readContract({
      ...chain,
      functionName: 'validator',
      args: [id],
    } as never)) as readonly unknown[]
    // Equivocated, and no power at the next two heights.
    expect(shown.slice(7)).toEqual([true, 0n, 0n])
    await until(
      'empty pools',
      async () => (await Promise.all(honest().map(evidenceOf))).every(({ evidence }) => evidence.length === 0),
      report,
    )
    await network.agreement(honest())
  })

  it('is shown by quoin evidence', async () => {
    const program = startQuoin(['evidence', '--rpc', network.validators[1]!.url])
    expect(await program.exit).toMatchObject({ code: 0 })
    expect(program.output).toMatch(/signed two different prevotes at height \d+, round 0: on the chain since block \d+/)
    expect(program.output).toContain('This node has no evidence that is not on the chain.')
  })

  it('is not reported with a key file that others can read', async () => {
    const file = join(network.directory, 'open-key')
    await writeFile(file, `${bytesToHex(randomBytes(32))}\n`, { mode: 0o644 })
    const { dataDir } = network.validators[LIAR]!
    const program = startQuoin(['start', '--data-dir', dataDir, '--operator-key-file', file])
    expect(await program.exit).toMatchObject({ code: 1 })
    expect(program.output).toContain('can be read by others (mode 644): run chmod 600 on it')
  })
})
