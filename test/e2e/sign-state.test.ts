import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAST, Network, type Validator } from './harness.ts'
import { quoin } from './program.ts'
import { until } from './watch.ts'

const UNTRUSTED_FILES = 65
const fileOf = ({ dataDir }: Validator) => join(dataDir, 'sign-state')
const start = ({ dataDir }: Validator, ...args: readonly string[]) => quoin(['start', '--data-dir', dataDir, ...args])

async function wipe({ dataDir }: Validator): Promise<void> {
  for (const name of ['db', 'wal', 'sign-state']) await rm(join(dataDir, name), { recursive: true, force: true })
}

describe('a validator whose sign state is missing or outdated', () => {
  let network: Network
  beforeAll(async () => {
    network = await Network.start({ parameters: { ...FAST, timeoutProposeMs: 1_000, timeoutDeltaMs: 300 } })
  })
  afterAll(() => network.close())

  /** Three must sign each block: with another one down the chain needs this one. */
  async function expectVotes(validator: Validator, without: Validator): Promise<void> {
    await network.reach(await network.advance(3), [validator])
    await without.kill()
    const height = await validator.height()
    await until(`blocks with the votes of ${validator.name}`, async () => (await validator.height()) > height + 3)
    await without.start()
    await network.reach(await network.advance(2), network.validators)
  }

  /** Waits until it is past the heights in which it signs nothing. */
  const endOfSilence = (validator: Validator): Promise<void> =>
    until('the end of the silence', async () => {
      const ends = [
        ...validator.program.output.matchAll(/"upTo":(\d+),"msg":"this validator will sign again above this height"/g),
      ]
      return ends.length > 0 && (await validator.height()) >= Number(ends.at(-1)![1])
    })

  it('is refused without one, and with that of another validator', async () => {
    const [first, second] = network.validators as [Validator, Validator]
    await first.kill()
    await cp(fileOf(first), join(network.directory, 'first'))
    await rm(fileOf(first))
    const missing = await start(first)
    expect(missing.output).toMatch(/no sign state of validator 0x.*start with --new-sign-state/)
    await cp(fileOf(second), fileOf(first))
    const swapped = await start(first)
    expect(swapped.output).toMatch(/the sign state belongs to validator 0x.*, but the key of this node is 0x/)
    await cp(join(network.directory, 'first'), fileOf(first))
    const needless = await start(first, '--new-sign-state')
    expect(needless.output).toContain('a sign state exists: start without --new-sign-state')
    expect([missing, swapped, needless].map(({ code }) => code)).toEqual([UNTRUSTED_FILES, UNTRUSTED_FILES, UNTRUSTED_FILES])
    await first.start()
    await expectVotes(first, second)
  })

  it('wiped, signs nothing until the chain is past what it may have signed, and votes again', async () => {
    const [, second, third] = network.validators as [Validator, Validator, Validator]
    await third.kill()
    await wipe(third)
    await third.start({}, ['--new-sign-state'])
    await endOfSilence(third)
    await expectVotes(third, second)
  })

  it('restored from a copy, finds its own signatures in the chain, signs nothing for that time, and votes again', async () => {
    const [, , third, fourth] = network.validators as [Validator, Validator, Validator, Validator]
    await fourth.stop()
    const copy = join(network.directory, 'copy')
    await cp(fourth.dataDir, copy, { recursive: true })
    await fourth.start()
    await network.reach(await network.advance(10), [fourth])
    await fourth.kill()
    await network.advance(5)
    await rm(fourth.dataDir, { recursive: true })
    await cp(copy, fourth.dataDir, { recursive: true })
    await fourth.start()
    await fourth.program.shows(/the sign state lacks a signature that this validator made/)
    await endOfSilence(fourth)
    await expectVotes(fourth, third)
  })

  it('two of four wiped at once stop the chain, and go on when the operators use --vote-from', async () => {
    const [first, , third, fourth] = network.validators as [Validator, Validator, Validator, Validator]
    await Promise.all([third.kill(), fourth.kill()])
    for (const node of [third, fourth]) await wipe(node)
    await Promise.all([third, fourth].map((node) => node.start({}, ['--new-sign-state'])))
    const height = (await first.height()) + 1
    for (const node of [third, fourth])
      await node.program.shows(new RegExp(`start the silent validators with --vote-from ${height}\\b`))
    expect(await first.height()).toBe(height - 1)
    await Promise.all([third.kill(), fourth.kill()])
    await Promise.all([third, fourth].map((node) => node.start({}, ['--vote-from', String(height)])))
    await network.advance(5)
  })

  it('nobody signed twice', async () => {
    const height = await network.advance(1)
    await network.reach(height, network.validators)
    expect(await network.agreement()).toBeGreaterThanOrEqual(height)
    for (const { log } of network.validators) expect(log).not.toMatch(/equivocation: a validator|at which the node halted/)
  })
})
