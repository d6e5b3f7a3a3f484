import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DEFAULT_PARAMETERS, decodeContainer, encodeContainer, unwrap } from '@quoin/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { built, CONDITIONS, Project } from '../../../contracts/test/build/project.ts'
import { ANSWER } from '../../../contracts/test/build/sources.ts'
import { type BuildCommand, buildContracts } from './build.ts'
import { verifyContract } from './verify.ts'

const DEFAULTS = {
  entries: [],
  out: 'artifacts',
  watch: false,
  typeCheck: false,
  embedSourceMap: false,
  against: [],
  conditions: CONDITIONS,
}

describe('quoin build', () => {
  const run = async (command: Partial<BuildCommand> & { readonly project: string }) => {
    const printed: string[] = []
    const complained: string[] = []
    const output = { print: (text: string) => printed.push(text), complain: (text: string) => complained.push(text) }
    const code = await buildContracts({ ...DEFAULTS, ...command }, output, new AbortController().signal)
    return { code, printed, complained: complained.join('\n') }
  }

  it('builds the modules of contracts/ except tests and folders, and prints sizes and gas', async () => {
    const project = new Project({
      'contracts/token.ts': ANSWER('1n'),
      'contracts/long-name.ts': ANSWER('2n'),
      'contracts/token.test.ts': 'this is no TypeScript',
      'contracts/lib/part.ts': 'export const shared = 1',
    })
    try {
      const { code, printed, complained } = await run({ project: project.root })
      expect(complained).toBe('')
      expect(code).toBe(0)
      expect(printed).toEqual([
        expect.stringMatching(
          /^long-name {3}[\d,]+ B minified {3}[\d,]+ B on chain {3}deployment [\d,]+ gas plus the constructor {3}no upgrades$/,
        ),
        expect.stringMatching(/^token {7}/),
        `A transaction may use at most ${DEFAULT_PARAMETERS.transactionGasMax.toLocaleString('en')} gas.`,
        expect.stringMatching(/^Wrote artifacts in \d+\.\d\d s\.$/),
      ])
      expect(existsSync(join(project.root, 'artifacts/token.d.ts'))).toBe(true)
    } finally {
      project.remove()
    }
  })

  it('prints the errors, writes nothing and exits with 1', async () => {
    const project = new Project({ 'contracts/token.ts': ANSWER('BigInt(Date.now())') })
    try {
      const { code, printed, complained } = await run({ project: project.root })
      expect({ code, printed }).toEqual({ code: 1, printed: [] })
      expect(complained).toMatch(
        /^contracts\/token\.ts:6:26: Date is not available in contracts: .*\n.*\n +\^\n\nBuild failed with 1 error\. Nothing was written\.$/,
      )
      expect(existsSync(join(project.root, 'artifacts'))).toBe(false)
    } finally {
      project.remove()
    }
  })

  it('fails when there is no contract to build', async () => {
    const project = new Project({})
    try {
      await expect(run({ project: project.root })).rejects.toThrow(/contracts contains no contract/)
    } finally {
      project.remove()
    }
  })
})

describe('quoin verify', () => {
  const address = `0x${'ab'.repeat(20)}`
  let project: Project
  let code = '0x'
  const node = createServer((request, response) => {
    request.resume().once('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: code })))
  })
  const verify = (rpc = `http://127.0.0.1:${(node.address() as AddressInfo).port}`) =>
    verifyContract({
      address,
      entry: 'contracts/token.ts',
      rpc,
      project: project.root,
      ignoreSourceMap: false,
      conditions: CONDITIONS,
    })

  beforeAll(async () => {
    project = new Project({ 'contracts/token.ts': ANSWER('1n') })
    await new Promise<void>((done) => node.listen(0, '127.0.0.1', done))
  })
  afterAll(async () => {
    project.remove()
    await new Promise((done) => node.close(done))
  })

  it('accepts a contract that matches its sources, with and without a source map', async () => {
    for (const embedSourceMap of [false, true]) {
      code = built(await project.build(['contracts/token.ts'], { embedSourceMap })).bytecode
      expect(await verify()).toMatch(new RegExp(`^${address} is contracts/token\\.ts: \\d+ bytes, quoin `))
    }
  })

  it('reports a difference, a missing contract or a node that does not answer', async () => {
    const { container } = unwrap(decodeContainer(built(await project.build()).code))
    code = `0x${Buffer.from(encodeContainer({ ...container, compiler: 'quoin 0.0.1' })).toString('hex')}`
    await expect(verify()).rejects.toThrow(/differs in\n {2}compiler\n {4}deployed: quoin 0\.0\.1\n[^]*Install that version/)
    code = '0x'
    await expect(verify()).rejects.toThrow('there is no code at this address')
    code = '0x6080'
    await expect(verify()).rejects.toThrow('the code is not a contract of this chain: data begins with 0x6080')
    await expect(verify('http://127.0.0.1:9')).rejects.toThrow(/^request to http:\/\/127\.0\.0\.1:9 failed: /)
  })
})
