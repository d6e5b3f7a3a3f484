import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureProject } from '../../scripts/lib/tools.mjs'
import { Program, ROOT, run } from '../e2e/program.ts'
import { artifacts, dev, validators } from './stage.ts'

const PROJECT = join(ROOT, 'test', 'clients', 'hardhat')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const runsHardhat = major > 22 || (major === 22 && minor >= 13)

/** The packages have 170 MB. */
const INSTALL_AND_RUN_MS_MAX = 300_000

// Its packages are large, and its engine is of no use here: they are installed only where they can run.
describe.runIf(runsHardhat)(`Hardhat 3, which needs Node.js 22.13 (this is ${process.versions.node})`, () => {
  it('sends, deploys, reads, and sets the time and state of a development chain', {
    timeout: INSTALL_AND_RUN_MS_MAX,
  }, async () => {
    await ensureProject(PROJECT, 'Hardhat')
    const env = { QUOIN_DEV: dev, QUOIN_NETWORK: validators[0]!, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' }
    const program = new Program(process.execPath, ['daily.mjs', join(artifacts, 'market.js')], { cwd: PROJECT, env })
    const { code, output } = await run(program)
    expect(output).toBe(
      ['viem on dev', 'ethers on dev', 'viem on network', 'ethers on network', 'network helpers on dev', ''].join('\n'),
    )
    expect(code).toBe(0)
  })
})
