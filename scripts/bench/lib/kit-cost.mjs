import { encodeAbiParameters, encodeFunctionData } from 'viem'
import { gasUsedOf } from '../../../packages/execution/dist/contract/index.js'
import { nodeWasm } from '../../../packages/platform/dist/wasm.js'
import { bytesToHex, concatBytes, hexToBytes } from '../../../packages/protocol/dist/index.js'
import { countedWasm } from './counted-wasm.mjs'
import { profileAction } from './cpu-profile.mjs'
import { deployOnMachine } from './machine.mjs'

/** Compares contracts with the same ABI on the contract machine: the kit's token and the hand-written one. */

const WARM_UP_ROUNDS = 5
/** Profiles of each contract, alternating. The first ones are not counted, because starting the profiler slows code that was compiled before. */
const PROFILES = 4
const PROFILED_ROUNDS = 15
const START = 10n ** 24n

/** Parts of a profile. A sample belongs to the first part that matches the script of one of its frames; innermost frames are tried first. */
const PARTS = [
  ['interpreter', /^wasm:/],
  ['image restored', /execution\/dist\/vm\/(image|pool)/],
  ['values to and from the guest', /execution\/dist\/(vm\/|contract\/guest)/],
  ['storage, journal, keys', /execution\/dist\/(contract\/host\/stor|journal|keys|account|contract\/record)/],
  ['all other host functions, frame, ABI', /execution\/dist\/contract\//],
  ['database in memory', /scripts\/bench\//],
]

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

/** Mean shares of several profiles. */
const mean = (profiles) => {
  const parts = new Set(profiles.flatMap((shares) => [...shares.keys()]))
  const share = (part) => profiles.reduce((sum, shares) => sum + (shares.get(part) ?? 0), 0) / profiles.length
  return new Map([...parts].map((part) => [part, share(part)]))
}

/** CPU time of the process in microseconds. */
function cpu(action) {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/**
 * Deploys a token on its own machine, with balances and allowances of `count` accounts, and prepares a block for each of its calls. The blocks' writes
 * are not kept, so that all rounds are equal.
 */
async function prepared({ crypto, contract, count, wasm }) {
  const { abi, bytecode } = contract
  const { inputs } = abi.find(({ type }) => type === 'constructor')
  const creation = (holder) => {
    const args = encodeAbiParameters(inputs, ['Token', 'TOK', holder, START * BigInt(count)])
    return concatBytes(hexToBytes(bytecode), hexToBytes(args))
  }
  const chain = await deployOnMachine(crypto, creation, wasm)
  const accounts = Array.from({ length: count }, (_, i) =>
    bytesToHex(crypto.keccak256(Uint8Array.of(i >> 8, i & 0xff)).subarray(12)),
  )
  const callOf = (functionName, ...args) => hexToBytes(encodeFunctionData({ abi, functionName, args }))
  const other = (i) => accounts[(i + (count >> 1)) % count]
  const value = (i) => 10n ** 18n + BigInt(i)
  const each = (message) => accounts.map((from, i) => message(from, i))
  const blocks = {
    transfer: each((from, i) => ({ from, data: callOf('transfer', other(i), value(i)) })),
    approve: each((from, i) => ({ from, data: callOf('approve', other(i), START + BigInt(i)) })),
    transferFrom: each((from, i) => ({ from: other(i), data: callOf('transferFrom', from, other(i + 1), value(i)) })),
  }
  chain.write(chain.run(each((to) => ({ from: chain.deployer, data: callOf('transfer', to, START) }))).changes)
  chain.write(chain.run(blocks.approve).changes)
  return { chain, blocks }
}

/** Gas and host calls of the second call in a block. The first call also pays for loading the code. */
async function countCalls({ crypto, contract }) {
  const counter = countedWasm(nodeWasm)
  const { chain, blocks } = await prepared({ crypto, contract, count: 4, wasm: counter.power })
  return Object.fromEntries(
    Object.entries(blocks).map(([name, messages]) => {
      counter.take()
      chain.run(messages.slice(0, 1))
      const first = counter.take()
      const { gasUsed } = chain.run(messages.slice(0, 2)).last
      const both = counter.take()
      const calls = new Map([...both.calls].map(([host, times]) => [host, times - (first.calls.get(host) ?? 0)]))
      return [name, { gas: gasUsedOf(gasUsed), hostGas: gasUsedOf(both.ticks - first.ticks), calls }]
    }),
  )
}

/**
 * Runs blocks of each call on each contract in alternating rounds.
 *
 * @param {{ crypto: object, contracts: Record<string, { abi: object[], bytecode: string }>, rounds: number, count: number }} options
 */
export async function compareContracts({ crypto, contracts, rounds, count }) {
  const machines = []
  for (const [name, contract] of Object.entries(contracts)) {
    const counted = await countCalls({ crypto, contract })
    machines.push({ name, counted, ...(await prepared({ crypto, contract, count })), times: {}, profiles: [] })
  }
  const functions = Object.keys(machines[0].blocks)
  for (const { times } of machines) for (const name of functions) times[name] = []
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const name of functions) {
      for (const { chain, blocks, times } of machines) {
        const us = cpu(() => chain.run(blocks[name])) / count
        if (round >= 0) times[name].push(us)
      }
    }
  }
  for (let profile = 0; profile < PROFILES; profile++) {
    for (const { chain, blocks, profiles } of machines) {
      const action = () => {
        for (let i = 0; i < PROFILED_ROUNDS; i++) chain.run(blocks.transfer)
      }
      const shares = await profileAction(action, PARTS)
      if (profile > 0) profiles.push(shares)
    }
  }
  return machines.map(({ name, counted, chain, times, profiles }) => ({
    name,
    deployment: chain.deployment,
    shares: mean(profiles),
    functions: Object.fromEntries(
      functions.map((each) => [each, { ...counted[each], us: median(times[each]), times: times[each] }]),
    ),
  }))
}

/** Median of the ratios of corresponding rounds. With other load on the machine it is steadier than the ratio of the medians. */
export const pairedRatio = (times, others) => median(times.map((us, i) => us / others[i]))
