/**
 * Compares the same token in TypeScript and Solidity in one run: lines, builds, tests and gas of packages/contracts/test/fixtures/token.ts (kit,
 * testing kit, `quoin build`, `quoin dev`) and of bench/Token.sol (forge, anvil). Also compares the kit's token with the hand-written one.
 * docs/solidity-comparison.md has the figures. Build first; `npm ci --prefix bench` installs Foundry and solc. Does not run on Windows.
 *   node scripts/bench/solidity.mjs [--only lines,tools,gas,chains,execution,kit] [--rounds 5] [--transfers 8000] [--senders 100]
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { concatHex, encodeAbiParameters } from 'viem'
import { gasUsedOf } from '../../packages/execution/dist/contract/index.js'
import { VM_GAS } from '../../packages/execution/dist/vm/index.js'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { developmentAccounts } from '../../packages/platform/dist/index.js'
import { readContract } from '../../test/contracts/contract.mjs'
import { calibrate, calibrationLine } from './lib/calibration.mjs'
import { compareContracts, pairedRatio } from './lib/kit-cost.mjs'
import { closeRpc } from './lib/rpc.mjs'
import { signer } from './lib/workload.mjs'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'lines,tools,gas,chains,execution,kit' },
    rounds: { type: 'string', default: '5' },
    transfers: { type: 'string', default: '8000' },
    senders: { type: 'string', default: '100' },
  },
})
const wanted = values.only.split(',')
const rounds = Number(values.rounds)
const bench = new URL('../../bench/', import.meta.url)
if (!existsSync(new URL('node_modules/.package-lock.json', bench)) || process.platform === 'win32') {
  console.log('Cannot compare with Solidity: Foundry and solc are not installed (run npm ci --prefix bench), or this is Windows.')
  process.exit(0)
}

const { FOUNDRY_VERSION, SOLC_VERSION } = await import('../../bench/foundry.mjs')
const { EVM_VERSION } = await import('../../bench/ethereumjs.mjs')
const { compileSolidity } = await import('../../bench/solidity.mjs')
const { forgeProject, quoinProject } = await import('./lib/author-projects.mjs')
const { startAnvil, startQuoinDev } = await import('./lib/development-chains.mjs')
const { transfersOnRevm } = await import('./lib/rust-evm.mjs')
const { loadOf, transactionGas } = await import('./lib/token-load.mjs')

const crypto = await loadCrypto()
const sign = signer(crypto)
const [deployer, alice, bob] = developmentAccounts(crypto)
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const row = (name, ...columns) => console.log(name.padEnd(44) + columns.map((text) => String(text).padStart(20)).join(''))
const integer = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ',')
const ms = (list) => `${integer(median(list))} ms`
const load = () => loadavg()[0].toFixed(1)

function title(text) {
  console.log(`\n${text} (load ${load()})`)
}

/** Builds and tests of both projects, alternating. Medians in milliseconds of whole processes. */
async function compareTools(quoin, forge) {
  const steps = {
    'build, nothing there': (project) => project.clean().then(() => project.build()),
    'build, after a change': (project) => project.edit().then(() => project.build()),
    'build, nothing changed': (project) => project.build(),
    'tests, first run after a build': (project) => project.test(),
    'tests, again': (project) => project.test(),
    'from a change to tested': async (project) => {
      await project.edit()
      const built = project === quoin ? (await project.build()).ms : 0
      return { ms: built + (await project.test()).ms }
    },
    'tests themselves': (project) => project.ownTime(),
  }
  const times = Object.fromEntries(Object.keys(steps).map((name) => [name, [[], []]]))
  const plain = []
  for (let round = 0; round < rounds; round++) {
    for (const [name, step] of Object.entries(steps))
      for (const [i, project] of [quoin, forge].entries()) times[name][i].push((await step(project)).ms)
    await forge.clean()
    plain.push((await forge.buildPlain()).ms)
    await forge.build()
  }
  title(`builds and tests, whole processes, median of ${rounds} alternating rounds`)
  row('', 'Quoin', 'Solidity')
  for (const [name, [ours, theirs]] of Object.entries(times)) {
    if (name === 'tests themselves') row(`  ${name}`, ...[ours, theirs].map((list) => `${median(list).toFixed(1)} ms`))
    else row(`  ${name}`, ms(ours), ms(theirs))
  }
  row('  build, nothing there, no optimiser', '', ms(plain))
  const counts = await Promise.all([quoin, forge].map((project) => project.ownTime()))
  row('  tests that passed', ...counts.map(({ tests }) => tests))
}

const constructorArguments = (contract, holder) => {
  const { inputs } = contract.abi.find(({ type }) => type === 'constructor')
  return encodeAbiParameters(inputs, ['Token', 'TOK', holder, 10n ** 24n])
}

/** Gas of transactions on each chain, from their receipts. */
async function compareGas(contracts) {
  const columns = []
  for (const { name, contract, start, gas } of contracts) {
    const chain = await start()
    try {
      const creation = (holder) => concatHex([contract.bytecode, constructorArguments(contract, holder)])
      const creationBytes = (contract.bytecode.length - 2) / 2
      columns.push({
        name,
        creationBytes,
        ...(await transactionGas({ sign, chain, contract, creation, deployer, accounts: [alice, bob], gas })),
      })
    } finally {
      await chain.stop()
    }
  }
  title('gas of transactions, by their receipts')
  row('', ...columns.map(({ name }) => name))
  for (const what of columns[0].gas.keys()) row(`  ${what}`, ...columns.map(({ gas }) => integer(gas.get(what))))
  row('  bytes of the creation, without arguments', ...columns.map(({ creationBytes }) => integer(creationBytes)))
  row('  bytes of code on the chain', ...columns.map(({ codeBytes }) => integer(codeBytes)))
}

/** Transfers whose latency is measured, after the same number for warm-up. */
const LATENCIES = 300

const cpuText = (us) => (us === undefined ? '' : `${integer(us)} µs`)

/** Block interval in milliseconds, for chains that make blocks at an interval. */
const BLOCK_TIME_MS = 100

/** Runs an action on a temporary chain. */
async function onChain({ start }, blockTimeMs, action) {
  const chain = await start(blockTimeMs)
  try {
    return await action(chain)
  } finally {
    await chain.stop()
  }
}

/** Latency of one transfer, and transfers per second, on each chain in turn, twice. */
async function compareChains(chains) {
  const transfers = Number(values.transfers)
  const senders = Number(values.senders)
  const loadOn = (chain, contract) => loadOf({ crypto, sign, deployer, chain, contract, senders })
  const twice = [1, 2].flatMap((round) => chains.map((each) => ({ ...each, round })))

  title('one token transfer after another, each with its receipt before the next; a block with each')
  row('', 'p50', 'p90', 'start of the chain')
  for (const { name, contract, round, ...each } of twice)
    await onChain(each, undefined, async (chain) => {
      const loaded = await loadOn(chain, contract)
      await loaded.latency(LATENCIES)
      const { p50, p90 } = await loaded.latency(LATENCIES)
      await loaded.check()
      row(`  ${name}, ${round}`, ...[p50, p90].map((time) => `${time.toFixed(1)} ms`), `${integer(chain.startMs)} ms`)
    })

  // With a block per transaction, anvil loses transactions under load: https://github.com/foundry-rs/foundry/issues/10122
  title(
    `${integer(transfers)} token transfers of ${senders} senders, after as many before, one a request; a block every ${BLOCK_TIME_MS} ms`,
  )
  row('', 'in blocks a second', 'blocks', 'CPU, chain', 'CPU, generator')
  for (const { name, contract, round, ...each } of twice)
    await onChain(each, BLOCK_TIME_MS, async (chain) => {
      const loaded = await loadOn(chain, contract)
      await loaded.burst(transfers)
      const { perSecond, blocks, chainUs, generatorUs } = await loaded.burst(transfers)
      await loaded.check()
      row(`  ${name}, ${round}`, integer(perSecond), blocks, cpuText(chainUs), cpuText(generatorUs))
    })
}

/** Splits the microseconds and gas of a transfer, for the kit's token and the hand-written one. */
function printKit([kit, hand]) {
  title('the token with the kit beside the one by hand, on the contract machine: medians of alternating rounds')
  row('', 'gas, kit', 'by hand', 'ratio', 'µs, kit', 'by hand', 'ratio')
  for (const [name, ours] of Object.entries(kit.functions)) {
    const theirs = hand.functions[name]
    const gasRatio = (ours.gas / theirs.gas).toFixed(2)
    const ratio = pairedRatio(ours.times, theirs.times).toFixed(2)
    row(`  ${name}`, integer(ours.gas), integer(theirs.gas), gasRatio, ours.us.toFixed(1), theirs.us.toFixed(1), ratio)
  }
  row('  image, bytes', ...[kit, hand].map(({ deployment }) => integer(deployment.imageBytes)))
  row('  deployment, gas', ...[kit, hand].map(({ deployment }) => integer(deployment.gas)))
  title('what a transfer is made of')
  row('', 'kit', 'by hand', 'more')
  const both = [kit, hand].map(({ functions }) => functions.transfer)
  const difference = (read) => {
    const [ours, theirs] = both.map(read)
    return [ours, theirs, ours - theirs].map(integer)
  }
  row('  gas of host calls, with their answers', ...difference(({ hostGas }) => hostGas))
  row('  gas of the rest: the contract, image, border', ...difference(({ gas, hostGas }) => gas - hostGas))
  const restored = [kit, hand].map(({ deployment }) => gasUsedOf(VM_GAS.restoreKiB * Math.ceil(deployment.imageBytes / 1024)))
  row('  … of which restoring the image', ...[...restored, restored[0] - restored[1]].map(integer))
  const names = new Set(both.flatMap(({ calls }) => [...calls.keys()]))
  for (const name of names) row(`  calls of ${name}`, ...difference(({ calls }) => calls.get(name) ?? 0))
  for (const part of kit.shares.keys()) {
    const [ours, theirs] = [kit, hand].map(({ shares, functions }) => (shares.get(part) ?? 0) * functions.transfer.us)
    row(`  µs: ${part}`, ours.toFixed(1), theirs.toFixed(1), (ours - theirs).toFixed(1))
  }
}

console.log(calibrationLine(calibrate()))
console.log(
  `forge and anvil ${FOUNDRY_VERSION}, solc ${SOLC_VERSION} (WebAssembly), ${EVM_VERSION}; load average at the start ${load()}`,
)
const directory = await mkdtemp(join(tmpdir(), 'quoin-solidity-'))
try {
  const quoin = await quoinProject(join(directory, 'quoin'))
  const forge = await forgeProject(join(directory, 'forge'), { evmVersion: EVM_VERSION })
  await quoin.build()
  const kit = await quoin.artifact()
  const hand = readContract('token')
  const solidity = compileSolidity('Token', EVM_VERSION)
  const onQuoin = (blockTimeMs) => startQuoinDev({ blockTimeMs })
  const onAnvil = (blockTimeMs) => startAnvil({ blockTimeMs, hardfork: EVM_VERSION })
  const [asQuoin, asAnvil, byHand] = [
    { name: 'quoin dev, kit', contract: kit, start: onQuoin, gas: 15_000_000n },
    { name: 'anvil', contract: solidity, start: onAnvil, gas: 5_000_000n },
    { name: 'quoin dev, by hand', contract: hand, start: onQuoin, gas: 15_000_000n },
  ]

  if (wanted.includes('lines')) {
    title('lines that are neither blank nor a comment')
    row('', quoin.name, forge.name)
    row('  contract', quoin.lines.contract, forge.lines.contract)
    row('  test', quoin.lines.test, forge.lines.test)
  }
  if (wanted.includes('tools')) await compareTools(quoin, forge)
  if (wanted.includes('gas')) {
    await compareGas([asQuoin, byHand, asAnvil])
    console.log(`\n${await quoin.gasReport()}\n${await forge.gasReport()}`)
  }
  if (wanted.includes('chains')) await compareChains([asQuoin, asAnvil])
  const compared =
    wanted.includes('kit') || wanted.includes('execution')
      ? await compareContracts({ crypto, contracts: { kit, hand }, rounds: 3 * rounds, count: 1_000 })
      : undefined
  if (wanted.includes('execution')) {
    const revm = await transfersOnRevm({ hardfork: EVM_VERSION, rounds: 3 * rounds })
    const ours = compared[0].functions.transfer
    title('execution of a transfer alone')
    row('', 'µs', 'gas', 'ns a unit of gas')
    for (const [name, us, gas] of [
      ['Quoin, kit: calldata to write set', ours.us, ours.gas],
      ['revm: in a loop of a contract', median(revm.us), revm.gas],
    ])
      row(`  ${name}`, us.toFixed(1), integer(gas), ((1000 * us) / gas).toFixed(2))
    row('  times as long', (ours.us / median(revm.us)).toFixed(1))
  }
  if (wanted.includes('kit')) printKit(compared)
} finally {
  closeRpc()
  await rm(directory, { recursive: true })
}
console.log(`\nload average at the end ${load()}`)
