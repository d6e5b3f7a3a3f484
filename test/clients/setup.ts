import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Abi, Hex } from 'viem'
import type { TestProject } from 'vitest/node'
import { Network, temporaryDirectory } from '../e2e/harness.ts'
import { quoin, ROOT, startQuoin } from '../e2e/program.ts'

/** What `quoin build` wrote of a contract. */
export interface Artifact {
  readonly abi: Abi
  readonly bytecode: Hex
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** URLs of the four validators. */
    readonly validators: readonly string[]
    /** URL of a development chain. */
    readonly dev: string
    /** Directory of the artifacts. */
    readonly artifacts: string
    readonly market: Artifact
    readonly token: Artifact
  }
}

const CONTRACTS = ['test/clients/contracts/market.ts', 'packages/contracts/src/standards/presets/token.ts']

/** Builds the contracts with the command, into a directory outside the repository. */
async function build(out: string): Promise<Readonly<Record<string, Artifact>>> {
  const flags = ['--project', ROOT, '--out', out, '--no-type-check', '--conditions', '@quoin/source']
  const { code, output } = await quoin(['build', ...CONTRACTS, ...flags])
  if (code !== 0) throw new Error(output)
  const read = async (name: string): Promise<Artifact> => {
    const { abi, bytecode } = (await import(pathToFileURL(join(out, `${name}.js`)).href)) as Artifact
    return { abi, bytecode }
  }
  return { market: await read('market'), token: await read('token') }
}

async function startDev() {
  const program = startQuoin(['dev', '--port', '0', '--quiet'], { ipc: true })
  const { rpcPort } = await program.message<{ kind: 'ready'; rpcPort: number }>('ready')
  return { program, url: `http://127.0.0.1:${rpcPort}` }
}

/** One network, one development chain and one build for all files of the suite: each client has funded accounts of its own there. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const artifacts = await temporaryDirectory()
  const [network, dev, built] = await Promise.all([
    Network.start({ parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 250 } }),
    startDev(),
    build(artifacts),
  ])
  provide(
    'validators',
    network.validators.map(({ url }) => url),
  )
  provide('dev', dev.url)
  provide('artifacts', artifacts)
  provide('market', built['market']!)
  provide('token', built['token']!)
  return async () => {
    try {
      await network.agreement()
    } finally {
      await Promise.all([network.close(), dev.program.end('SIGKILL'), rm(artifacts, { recursive: true })])
    }
  }
}
