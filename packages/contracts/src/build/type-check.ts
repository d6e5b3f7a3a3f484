import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { type Diagnostic, diagnosticAt } from './diagnostic.ts'
import { BUILD_LIMITS } from './limits.ts'
import { type ProjectFiles, slashes } from './project-files.ts'

/**
 * Checks the project with its own `tsc` in a child process, so that the result matches the author's editor with any version of TypeScript. Stores
 * incremental build information in `node_modules/.cache`. A project without TypeScript entries needs neither a compiler nor a configuration.
 */
export async function typeCheck(
  files: ProjectFiles,
  entries: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Diagnostic[]> {
  const config = join(files.root, 'tsconfig.json')
  const compiler = compilerOf(files.root)
  const isNeeded = entries.some(isTypeScript)
  if (!existsSync(config))
    return isNeeded
      ? [
          diagnosticAt(
            'tsconfig.json',
            'this file is missing, so types cannot be checked: create it, or build with --no-type-check',
          ),
        ]
      : []
  if (compiler === undefined)
    return isNeeded
      ? [
          diagnosticAt(
            'package.json',
            'typescript is not installed in the project: run npm install --save-dev typescript, or build with --no-type-check',
          ),
        ]
      : []
  const ended = await run([compiler, ...argumentsOf(files.root, config)], files.root, signal)
  if (signal?.aborted) return []
  const { code, output } = ended
  const found = [...parseOutput(output, files), ...unchecked(files, entries, ended)]
  if (code === 0 || found.length > 0) return found
  return [diagnosticAt('tsconfig.json', `tsc ended with code ${code}: ${output.trim().slice(0, 2_000)}`)]
}

/** Path of the project's tsc script; undefined if TypeScript is not installed. */
function compilerOf(root: string): string | undefined {
  const require = createRequire(join(root, 'package.json'))
  try {
    const manifest = require.resolve('typescript/package.json')
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin?: { readonly tsc?: string } }
    return bin?.tsc === undefined ? undefined : join(dirname(manifest), bin.tsc)
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'MODULE_NOT_FOUND') return undefined
    throw failure
  }
}

function argumentsOf(root: string, config: string): readonly string[] {
  const plain = ['--noEmit', '--pretty', 'false', '--listFiles', '--project', config]
  const modules = join(root, 'node_modules')
  if (!isWritable(modules)) return plain
  return [...plain, '--incremental', '--tsBuildInfoFile', join(modules, '.cache', 'quoin', 'contracts.tsbuildinfo')]
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure) return false
    throw failure
  }
}

interface Run {
  readonly code: number | null
  readonly output: string
  /** Whether the output was longer, and its end is missing. */
  readonly isCut: boolean
}

function run(args: readonly string[], cwd: string, signal: AbortSignal | undefined): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    let bytes = 0
    const take = (chunk: Buffer) => {
      const room = Math.max(0, BUILD_LIMITS.typeCheckBytesMax - bytes)
      if (room > 0) chunks.push(chunk.subarray(0, room))
      bytes += chunk.length
    }
    const stop = () => void child.kill()
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    signal?.addEventListener('abort', stop, { once: true })
    child.once('error', reject)
    child.once('close', (code) => {
      signal?.removeEventListener('abort', stop)
      resolve({ code, output: Buffer.concat(chunks).toString(), isCut: bytes > BUILD_LIMITS.typeCheckBytesMax })
    })
  })
}

/**
 * Errors for entries that the configuration leaves out: tsc does not list them among its files. A list whose end is missing cannot show that. tsc may know a
 * file by another path than the author, through a symbolic link, so real paths are compared.
 */
function unchecked(files: ProjectFiles, entries: readonly string[], { code, output, isCut }: Run): readonly Diagnostic[] {
  if (isCut) return []
  const checked = new Set(output.split(/\r?\n/).map(slashes))
  // When the configuration itself has an error, tsc fails and lists nothing. A configuration of references only lists nothing and succeeds.
  if (code !== 0 && ![...checked].some((line) => /\.d\.[cm]?ts$/.test(line))) return []
  const missing = entries.filter((entry) => isTypeScript(entry) && !checked.has(slashes(entry)))
  const real = missing.length > 0 ? new Set([...checked].filter(isAbsolute).map(realPath)) : checked
  return missing
    .filter((entry) => !real.has(realPath(entry)))
    .map((entry) =>
      diagnosticAt(
        files.name(entry).name,
        'tsconfig.json does not include this file, so its types were not checked: add it to "include", or build with --no-type-check',
      ),
    )
}

const isTypeScript = (path: string): boolean => /\.[cm]?tsx?$/.test(path)

/** A path with symbolic links resolved; the path itself if there is no such file. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure) return path
    throw failure
  }
}

/** Output formats of tsc: `file(line,column): error TS1234: message` with further lines indented, or `error TS1234: message` without a place. */
const LOCATED = /^(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/
const GENERAL = /^error (TS\d+): (.*)$/

/** Parses the output of `tsc --pretty false`. Its file names are relative to its working directory. */
export function parseOutput(output: string, files: ProjectFiles): readonly Diagnostic[] {
  const found: { readonly place: Parameters<typeof diagnosticAt>[0]; readonly message: string[] }[] = []
  for (const line of output.split(/\r?\n/)) {
    const located = LOCATED.exec(line)
    const general = GENERAL.exec(line)
    if (located !== null) {
      const [, path = '', row, column, code, message] = located
      found.push({ place: files.place(path, Number(row), Number(column)), message: [`${message} (${code})`] })
    } else if (general !== null) {
      found.push({ place: 'tsconfig.json', message: [`${general[2]} (${general[1]})`] })
    } else if (/^\s+\S/.test(line)) {
      found.at(-1)?.message.push(line)
    }
  }
  return found.map(({ place, message }) => diagnosticAt(place, message.join('\n')))
}
