import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Tarball } from './lock.ts'

/** Large, because `npm pack --json` lists every packed file. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024

/** Directory of a @quoin package as the module `from` resolves it: in the repository, or installed. */
export function packageDirectory(name: string, from: string = import.meta.url): string {
  return dirname(createRequire(from).resolve(`${name}/package.json`))
}

/** The same; undefined if the package is not installed. */
export function installedDirectory(name: string): string | undefined {
  try {
    return packageDirectory(name)
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'MODULE_NOT_FOUND') return undefined
    throw failure
  }
}

/** Directories of a @quoin package and its @quoin dependencies; dependencies come first. */
async function directoriesOf(name: string, from?: string, found = new Map<string, string>()): Promise<readonly string[]> {
  const directory = packageDirectory(name, from)
  const file = join(directory, 'package.json')
  const { dependencies } = JSON.parse(await readFile(file, 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> }
  for (const needed of Object.keys(dependencies).filter((other) => other.startsWith('@quoin/') && !found.has(other)))
    await directoriesOf(needed, file, found)
  found.set(name, directory)
  return [...found.values()]
}

/** What only operators need: packed, so that a project can install it, but not installed. */
export const VALIDATOR = '@quoin/validator'

/**
 * Packs @quoin/cli and its @quoin dependencies into a folder of a project, and @quoin/validator where it is installed.
 *
 * @param folder relative to the project
 * @param more names of other packages to pack, without their dependencies
 * @throws Error with npm's output when `npm pack` fails
 */
export async function packTarballs(project: string, folder: string, more: readonly string[] = []): Promise<readonly Tarball[]> {
  const validator = installedDirectory(VALIDATOR)
  const directories = [
    ...(await directoriesOf('@quoin/cli')),
    ...(validator === undefined ? [] : [validator]),
    ...more.map((name) => packageDirectory(name)),
  ]
  const [program, ...before] = npmCommand()
  const args = [...before, 'pack', '--json', '--ignore-scripts', '--pack-destination', join(project, folder), ...directories]
  const { stdout } = await promisify(execFile)(program!, args, { cwd: project, maxBuffer: OUTPUT_BYTES_MAX })
  const packed = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[]
  return Promise.all(
    packed.map(async ({ name, filename }) => {
      const file = `${folder}/${filename}`
      const digest = createHash('sha512').update(await readFile(join(project, file)))
      return { name, file, integrity: `sha512-${digest.digest('base64')}` }
    }),
  )
}

/** Command line of the npm that runs this program, else of the npm that came with Node.js. It needs no shell on any platform. */
function npmCommand(): readonly string[] {
  const running = process.env['npm_execpath']
  if (running !== undefined && /npm-cli\.c?js$/.test(running)) return [process.execPath, running]
  return process.platform === 'win32'
    ? [process.execPath, join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')]
    : ['npm']
}
