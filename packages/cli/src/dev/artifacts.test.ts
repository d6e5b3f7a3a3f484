import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { artifactTexts, type BuiltContract } from '@quoin/contracts/build'
import { nobleCrypto as crypto } from '@quoin/protocol'
import { BaseError, type Hex } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildFiles, built } from '../../../contracts/test/build/project.ts'
import { devClient, signer } from '../../test/dev-node.ts'
import { Artifacts, parseArtifact } from './artifacts.ts'
import { type DevNode, startDevNode } from './index.ts'

const SOURCE = `import { contract } from '@quoin/contracts'
import { refuse } from './lib/refuse.ts'

export default contract({
  abi: ['constructor(bool fails)', 'function ask(uint256 n) view returns (uint256)', 'function spend(uint256 n)'],
  constructor(_, fails) {
    if (fails) refuse(7n)
  },
  functions: {
    ask(_, n) {
      return refuse(n)
    },
    spend(_, n) {
      refuse(n)
    },
  },
})
`
const REFUSE = `export function refuse(n: bigint): bigint {
  if (n > 5n) throw new Error('too much: ' + n)
  return n
}
`

let directory: string
let contract: BuiltContract
let node: DevNode

/** Collects the texts that the node prints. */
class Told {
  readonly #texts: string[] = []
  #onText: () => void = () => {}

  readonly print = (text: string): void => {
    this.#texts.push(text)
    this.#onText()
  }

  /** Waits for the next `count` texts. */
  async take(count: number): Promise<readonly string[]> {
    await new Promise<void>((resolve) => {
      this.#onText = () => {
        if (this.#texts.length >= count) resolve()
      }
      this.#onText()
    })
    return this.#texts.splice(0, count)
  }
}
const told = new Told()

beforeAll(async () => {
  contract = built(await buildFiles(SOURCE, { 'contracts/lib/refuse.ts': REFUSE }))
  directory = await mkdtemp(join(tmpdir(), 'quoin-artifacts-'))
  await writeFile(join(directory, 'token.js'), artifactTexts(contract).js)
  await writeFile(join(directory, 'other.js'), 'export const name = 1\n')
  node = await startDevNode({ port: 0, artifacts: directory, print: told.print })
})
afterAll(async () => {
  await node.close()
  await rm(directory, { recursive: true })
})

const AUTHORS_LINES = [/at \S+ \(contracts\/lib\/refuse\.ts:2:\d+\)/, /at \S+ \(contracts\/token\.ts:1[14]:\d+\)/]
const deploy = (fails: boolean, gas?: bigint) =>
  signer(node.url, 0).deployContract({ ...contract, args: [fails], ...(gas === undefined ? {} : { gas }) })

it("says which function was called, and where in the author's files it failed", async () => {
  const client = devClient(node.url)
  const { contractAddress } = await client.getTransactionReceipt({ hash: await deploy(false) })
  const address = contractAddress as Hex
  expect(await told.take(1)).toEqual([expect.stringMatching(new RegExp(`ok\n.* → new contract ${address}  token$`))])

  const { abi } = contract
  await signer(node.url, 0).writeContract({ address, abi, functionName: 'spend', args: [6n], gas: 5_000_000n })
  const call = { address, abi, functionName: 'ask', args: [6n] } as const
  const error = await client.readContract(call).catch((failure: unknown) => failure)
  const message = (error as BaseError).walk((cause) => cause instanceof BaseError && cause.details !== '') as BaseError
  const [sent, asked] = await told.take(2)
  expect(sent).toContain(` → ${address}  token.spend\n  too much: 6\n`)
  expect(asked).toContain(`eth_call  failed\n  → ${address}  token.ask\n  too much: 6\n`)
  for (const line of AUTHORS_LINES) {
    expect(sent).toMatch(line)
    expect(asked).toMatch(line)
    expect(message.details).toMatch(line)
  }
  expect(message.details).toMatch(/^execution reverted: too much: 6\n/)
})

it('names the source lines of contracts whose creation failed', async () => {
  const error = await deploy(true).catch((failure: unknown) => failure)
  expect((error as BaseError).details).toMatch(
    /^execution reverted: too much: 7\n {4}at \S+ \(contracts\/lib\/refuse\.ts:2:\d+\)/,
  )
  await told.take(1)
  await deploy(true, 15_000_000n)
  expect(await told.take(1)).toEqual([
    expect.stringMatching(/→ no contract {2}token\n {2}too much: 7\n {6}at \S+ \(contracts\/lib/),
  ])
})

it('reads artifacts again when they have changed, and does without them', async () => {
  const changing = join(directory, 'changing')
  const artifacts = new Artifacts(changing, crypto)
  expect(await artifacts.ofCode(contract.code)).toBeUndefined()
  await mkdir(changing)
  await writeFile(join(changing, 'late.js'), artifactTexts(contract).js)
  expect(await artifacts.ofCode(contract.code)).toMatchObject({ name: 'token' })
  expect(await artifacts.ofCreation(new Uint8Array(40))).toBeUndefined()
})

it.each([
  ['another module', 'export default {}\n'],
  ['a constant that is not JSON', artifactTextsOf('export const abi = [', 'export const abi = await [')],
  ['an invalid ABI', artifactTextsOf('export const abi = [', 'export const abi = [7,')],
  ['invalid bytecode', artifactTextsOf('export const bytecode = "0x', 'export const bytecode = "')],
])('takes %s for no artifact', (_, text) => {
  expect(parseArtifact(crypto, text)).toBeUndefined()
})

/** An artifact without a contract, changed. */
function artifactTextsOf(before: string, after: string): string {
  const whole = `// Generated\nexport const name = "a"\nexport const abi = []\nexport const bytecode = "0xef51"\nexport const sourceMap = {"sources":[],"mappings":""}\n`
  if (parseArtifact(crypto, whole) === undefined) throw new Error('the whole is no artifact')
  return whole.replace(before, after)
}
