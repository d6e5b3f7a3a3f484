import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BuildOptions, type BuildResult, build, formatDiagnostics, watch } from '@quoin/contracts/build'
import { CommandError, unlessMissing } from '@quoin/node/process'

export interface BuildCommand {
  readonly project: string
  /** Modules relative to the project; all of `contracts/` when there are none. */
  readonly entries: readonly string[]
  readonly out: string
  readonly watch: boolean
  readonly typeCheck: boolean
  readonly embedSourceMap: boolean
  readonly against: readonly string[]
  /** Conditions of packages' exports. */
  readonly conditions: readonly string[]
}

interface Output {
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
}

/** Builds contracts and says what came of it; resolves to the exit code. A watch goes on until `signal`. */
export async function buildContracts(command: BuildCommand, output: Output, signal: AbortSignal): Promise<number> {
  const options = { ...(await optionsOf(command)), outDir: command.out }
  if (command.watch) return watchContracts(options, output, signal)
  const start = performance.now()
  return report(await build(options), options, performance.now() - start, output)
}

async function optionsOf(command: Omit<BuildCommand, 'out' | 'watch'>): Promise<BuildOptions> {
  const { project, entries, typeCheck, embedSourceMap, against, conditions } = command
  const chosen = entries.length > 0 ? entries : await contractsOf(project)
  if (chosen.length === 0)
    throw new CommandError(`${join(project, CONTRACTS)} has no contract: name the modules, or put them there`)
  return { project, entries: chosen, typeCheck, embedSourceMap, against, conditions }
}

const CONTRACTS = 'contracts'

/** Every TypeScript module of the folder; what several contracts share lies in folders below. */
async function contractsOf(project: string): Promise<readonly string[]> {
  const names = (await unlessMissing(readdir(resolve(project, CONTRACTS)))) ?? []
  const isContract = (name: string) => /\.m?ts$/.test(name) && !/\.(?:d|test|test-d|spec)\.m?ts$/.test(name)
  return names
    .filter(isContract)
    .sort()
    .map((name) => `${CONTRACTS}/${name}`)
}

async function watchContracts(options: BuildOptions, output: Output, signal: AbortSignal): Promise<number> {
  const ended = new Promise<void>((done, fail) => {
    let start = performance.now()
    const session = watch(
      options,
      (result) => {
        report(result, options, performance.now() - start, output)
        output.print('Watching for changes. Ctrl-C ends.')
      },
      { onStart: () => void (start = performance.now()), onFault: (fault) => void session.close().then(() => fail(fault), fail) },
    )
    signal.addEventListener('abort', () => void session.close().then(done, fail), { once: true })
  })
  await ended
  return 0
}

function report(result: BuildResult, { outDir = '' }: BuildOptions, ms: number, { print, complain }: Output): number {
  if (!result.ok) {
    const count = result.error.length
    complain(
      `${formatDiagnostics(result.error)}\n\n${count === 1 ? 'One thing is' : `${count} things are`} wrong; nothing was written.`,
    )
    return 1
  }
  const rows = result.value.map(({ name, source, code, deploymentGas }) => [
    name,
    `${decimal(Buffer.byteLength(source))} B minified`,
    `${decimal(code.length)} B on the chain`,
    `deployment ${decimal(deploymentGas)} gas and the constructor's`,
  ])
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]!.length)))
  for (const row of rows)
    print(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i] ?? 0))).join('   '))
  print(`Wrote ${outDir} in ${(ms / 1000).toFixed(2)} s.`)
  return 0
}

/** 1234567 as 1,234,567, whatever the machine's locale. */
const decimal = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
