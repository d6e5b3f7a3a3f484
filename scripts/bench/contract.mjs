/**
 * An ERC-20 transfer from calldata to write set: the token of test/contracts on the contract machine, isolated and metered, compared with the same
 * token in Solidity on @ethereumjs/evm, in alternating rounds of one run. Figures are CPU time of the process, including garbage collection. A round
 * is one block in which each account sends once and receives once. Then prints a profile of the machine's time. Uses dist: build first.
 *   node scripts/bench/contract.mjs [--rounds 15] [--accounts 1000]
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { encodeAbiParameters, encodeFunctionData } from 'viem'
import { gasUsedOf } from '../../packages/execution/dist/contract/index.js'
import { loadCrypto } from '../../packages/node/dist/crypto/load.js'
import { bytesToHex, concatBytes, hexToBytes } from '../../packages/protocol/dist/index.js'
import { readContract } from '../../test/contracts/contract.mjs'
import { profileAction } from './lib/cpu-profile.mjs'
import { deployOnMachine } from './lib/machine.mjs'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, accounts: { type: 'string', default: '1000' } },
})
const rounds = Number(values.rounds)
const count = Number(values.accounts)
const WARM_UP_ROUNDS = 5
const PROFILED_ROUNDS = 30
const bench = new URL('../../bench/', import.meta.url)

const crypto = await loadCrypto()
const token = readContract('token')
const [creationAbi] = token.abi
const address = (i) => bytesToHex(crypto.keccak256(Uint8Array.of(i >> 8, i & 0xff)).subarray(12))
const accounts = Array.from({ length: count }, (_, i) => address(i))
const callOf = (functionName, ...args) => hexToBytes(encodeFunctionData({ abi: token.abi, functionName, args }))
const START = 10n ** 24n

/** Each account pays the account half the list away. All amounts differ. */
const payments = accounts.map((from, i) => {
  const value = 10n ** 18n + BigInt(i)
  const to = accounts[(i + (count >> 1)) % count]
  return { from, to, value, data: callOf('transfer', to, value) }
})

function creation(container, holder) {
  const text = encodeAbiParameters(creationAbi.inputs, ['Token', 'TOK', holder, START * BigInt(count)])
  return concatBytes(container, hexToBytes(text))
}

/** Runs an action. Returns the process's CPU time in microseconds, and the action's result. */
async function cpu(action) {
  const before = process.cpuUsage()
  const value = await action()
  const { user, system } = process.cpuUsage(before)
  return { us: user + system, value }
}

async function quoin() {
  const chain = await deployOnMachine(crypto, (holder) => creation(token.container, holder))
  chain.write(chain.run(accounts.map((to) => ({ from: chain.deployer, data: callOf('transfer', to, START) }))).changes)
  return {
    name: 'quoin',
    deployment: chain.deployment,
    block: () => chain.run(payments).changes,
    write: (changes) => chain.write(changes),
    balanceOf: (account) => BigInt(bytesToHex(chain.run([{ from: account, data: callOf('balanceOf', account) }]).last.data)),
    first: () => {
      const { last, logs, changes } = chain.run([payments[0]])
      chain.write(changes)
      const [{ topics, data }] = logs
      // The first call in a block also pays for loading the code; measure the second one.
      const { gasUsed } = chain.run(payments.slice(0, 2)).last
      return { gas: gasUsedOf(gasUsed), effects: [bytesToHex(last.data), ...topics, bytesToHex(data)] }
    },
  }
}

/** @returns the machine to compare with; undefined if it is not installed */
async function ethereumjs() {
  if (!existsSync(new URL('node_modules/.package-lock.json', bench))) return undefined
  const { deployOnEthereumjs, ETHEREUMJS, EVM_VERSION } = await import(new URL('ethereumjs.mjs', bench).href)
  const { compileSolidity } = await import(new URL('solidity.mjs', bench).href)
  const { bytecode, compiler } = compileSolidity('Token', EVM_VERSION)
  const deployer = `0x${'de'.repeat(20)}`
  const evm = await deployOnEthereumjs({ crypto, deployer, creation: creation(hexToBytes(bytecode), deployer) })
  const callers = new Map()
  for (const account of [deployer, ...accounts]) callers.set(account, await evm.addAccount(account))
  for (const to of accounts) await evm.call(callers.get(deployer), callOf('transfer', to, START))
  const calls = payments.map(({ from, data }) => [callers.get(from), data])
  return {
    name: `${ETHEREUMJS}, ${compiler.replace(/\+.*/, '')}, ${EVM_VERSION}`,
    block: async () => {
      for (const [caller, data] of calls) await evm.call(caller, data)
    },
    write: () => undefined,
    balanceOf: async (account) => {
      const { data } = await evm.call(callers.get(account), callOf('balanceOf', account))
      return BigInt(bytesToHex(data))
    },
    first: async () => {
      const { gas, logs, data } = await evm.call(...calls[0])
      const [[, topics, body]] = logs
      return { gas, effects: [data, ...topics, body].map(bytesToHex) }
    },
  }
}

/** Checks all balances after `roundsDone` rounds, and that one more payment has the same result and event on all machines. Returns its gas on each. */
async function check(machines, roundsDone) {
  for (const { name, balanceOf } of machines) {
    for (const [i, { from, value }] of payments.entries()) {
      const received = payments[(i + (count >> 1)) % count].value
      const expected = START + BigInt(roundsDone) * (received - value)
      const found = await balanceOf(from)
      if (found !== expected) throw new Error(`${name}: ${from} has ${found}, not ${expected}`)
    }
  }
  const firsts = []
  for (const { first } of machines) firsts.push(await first())
  const [expected, ...others] = firsts.map(({ effects }) => effects.join())
  for (const other of others) if (other !== expected) throw new Error(`the machines differ: ${expected} and ${other}`)
  return firsts.map(({ gas }) => gas)
}

const ours = await quoin()
const machines = [ours, await ethereumjs()].filter((machine) => machine !== undefined)
const times = machines.map(() => [])
for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
  for (const [i, { block, write }] of machines.entries()) {
    const { us, value } = await cpu(block)
    write(value)
    if (round >= 0) times[i].push(us / count)
  }
}
const gas = await check(machines, rounds + WARM_UP_ROUNDS)

const row = (name, ...columns) => console.log(name.padEnd(46) + columns.map((text) => String(text).padStart(12)).join(''))
const best = times.map((list) => Math.min(...list))
const median = times.map((list) => list.toSorted((a, b) => a - b)[list.length >> 1])
console.log(`${count} accounts, ${rounds} rounds of ${count} transfers, alternating; Node ${process.version}`)
row('ERC-20 transfer, calldata to write set', 'us, best', 'us, median', 'a second', 'gas')
for (const [i, { name }] of machines.entries())
  row(`  ${name}`, best[i].toFixed(1), median[i].toFixed(1), Math.round(1e6 / median[i]), gas[i])
if (machines.length > 1) row('  times as fast', (best[1] / best[0]).toFixed(1), (median[1] / median[0]).toFixed(1))
else console.log('  @ethereumjs/evm is not installed: Quoin ran alone. To install it: npm ci --prefix bench')

const { deployment } = ours
row('image of the token, bytes; deployment, gas', deployment.imageBytes, deployment.gas)

/** Parts of a profile. A sample belongs to the first part that matches the script of one of its frames; innermost frames are tried first. */
const parts = [
  ['interpreter', /^wasm:/],
  ['image restored', /execution\/dist\/vm\/(image|pool)/],
  ['values to and from the guest', /execution\/dist\/(vm\/|contract\/guest)/],
  ['storage functions', /execution\/dist\/contract\/host\/stor/],
  ['journal, keys, record', /execution\/dist\/(journal|keys|account|contract\/record)/],
  ['event', /execution\/dist\/contract\/(host\/events|abi\/event)/],
  ['abi of arguments, outputs, words', /execution\/dist\/contract\/(abi|values|entry)/],
  ['frame, gas, other host functions', /execution\/dist\/contract\//],
  ['the database in memory', /scripts\/bench\//],
]
const shares = await profileAction(() => {
  for (let round = 0; round < PROFILED_ROUNDS; round++) ours.block()
}, parts)
console.log()
row('where the time goes', 'share', 'us')
for (const [part, share] of shares) row(`  ${part}`, `${(100 * share).toFixed(1)} %`, (share * median[0]).toFixed(2))
