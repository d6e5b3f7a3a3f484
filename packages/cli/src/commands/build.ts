import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BuildOptions, type BuildResult, build, formatDiagnostics, grouped, watch } from '@quoin/contracts/build'
import { CommandError, unlessMissing } from '@quoin/node/process'

export interface BuildCommand {
  readonly project: string
  /** Modules relative to the project; empty: all modules of `contracts/`. */
  readonly entries: readonly string[]
  readonly out: string
  readonly watch: boolean
  readonly typeCheck: boolean
  readonly embedSourceMap: boolean
  readonly against: readonly string[]
  /** The chain's gas limit for a transaction. */
  readonly transactionGasMax: number
  /** Additional conditions to resolve packages' `exports` with. */
  readonly conditions: readonly string[]
}

interface Output {
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
}

/**
 * Builds contracts and prints the result. With `watch`, builds again at each change until `signal` is aborted.
 *
 * @returns the exit code
 */
export async function buildContracts(command: BuildCommand, output: Output, signal: AbortSignal): Promise<number> {
  const options = { ...(await optionsOf(command)), outDir: command.out }
  if (command.watch) return watchContracts(options, output, signal)
  const start = performance.now()
  return report(await build(options), options, performance.now() - start, output)
}

type ProjectOptions = BuildOptions & Pick<BuildCommand, 'transactionGasMax'>

async function optionsOf(command: Omit<BuildCommand, 'out' | 'watch'>): Promise<ProjectOptions> {
  const { project, entries, typeCheck, embedSourceMap, against, transactionGasMax, conditions } = command
  const chosen = entries.length > 0 ? entries : await contractsOf(project)
  if (chosen.length === 0)
    throw new CommandError(
      `${join(project, CONTRACTS)} contains no contract: put modules there, or name them on the command line`,
    )
  return { project, entries: chosen, typeCheck, embedSourceMap, against, transactionGasMax, conditions }
}

const CONTRACTS = 'contracts'

/** Every TypeScript module of the folder itself. Subfolders hold code that several contracts share. */
async function contractsOf(project: string): Promise<readonly string[]> {
  const names = (await unlessMissing(readdir(resolve(project, CONTRACTS)))) ?? []
  const isContract = (name: string) => /\.m?ts$/.test(name) && !/\.(?:d|test|test-d|spec)\.m?ts$/.test(name)
  return names
    .filter(isContract)
    .sort()
    .map((name) => `${CONTRACTS}/${name}`)
}

async function watchContracts(options: ProjectOptions, output: Output, signal: AbortSignal): Promise<number> {
  const ended = new Promise<void>((done, fail) => {
    let start = performance.now()
    const session = watch(
      options,
      (result) => {
        report(result, options, performance.now() - start, output)
        output.print('Watching for changes. Press Ctrl-C to stop.')
      },
      { onStart: () => void (start = performance.now()), onFault: (fault) => void session.close().then(() => fail(fault), fail) },
    )
    signal.addEventListener('abort', () => void session.close().then(done, fail), { once: true })
  })
  await ended
  return 0
}

function report(result: BuildResult, options: ProjectOptions, ms: number, { print, complain }: Output): number {
  const { outDir = '', transactionGasMax } = options
  if (!result.ok) {
    const count = result.error.length
    complain(
      `${formatDiagnostics(result.error)}\n\nBuild failed with ${count} ${count === 1 ? 'error' : 'errors'}. Nothing was written.`,
    )
    return 1
  }
  const rows = result.value.map(({ name, source, code, deploymentGas, upgradeGas }) => [
    name,
    `${grouped(Buffer.byteLength(source))} B minified`,
    `${grouped(code.length)} B on chain`,
    `deployment ${grouped(deploymentGas)} gas plus the constructor`,
    upgradeGas === undefined ? 'no upgrades' : `upgrade ${grouped(upgradeGas)} gas`,
  ])
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]!.length)))
  for (const row of rows)
    print(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i] ?? 0))).join('   '))
  print(`A transaction may use at most ${grouped(transactionGasMax)} gas.`)
  for (const { name, code, upgradeAuthority } of result.value) {
    if (upgradeAuthority.kind === 'account' && code.length > MULTISIG_CONTAINER_BYTES_MAX)
      print(
        `${name} has ${grouped(code.length)} B on chain. If its upgrade authority is a contract, that must be able to pass on so much: the multisig preset takes about ${grouped(MULTISIG_CONTAINER_BYTES_MAX)} B, the timelock preset ${grouped(TIMELOCK_CONTAINER_BYTES_MAX)} B.`,
      )
  }
  print(`Wrote ${outDir} in ${(ms / 1000).toFixed(2)} s.`)
  return 0
}

/** The containers that the presets can upgrade to, as `docs/standards.md` says and a test of each preset holds. */
const MULTISIG_CONTAINER_BYTES_MAX = 65_000
const TIMELOCK_CONTAINER_BYTES_MAX = 130_000
