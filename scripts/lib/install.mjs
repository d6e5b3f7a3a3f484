import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './child.mjs'
import { freeMib } from './disk.mjs'
import { cacheFolder, root } from './paths.mjs'
import { Refusal, step } from './steps.mjs'

const lockFile = join(root, 'package-lock.json')
/** npm's own record of the packages in node_modules. npm writes it last. */
const hiddenLockFile = join(root, 'node_modules', '.package-lock.json')
const stampFile = join(cacheFolder, 'installed.json')

/** npm prints each package that it fetches. If it prints nothing for this long, the network has stalled. */
const installSilentMsMax = 300_000

/** npm's fetch timeout: it repeats a request after this many milliseconds without data (npm's default is five minutes). */
const registryIdleMsMax = 60_000

/** Disk space that an install needs for dependencies and npm's cache together, in MiB. */
const installMibMin = 1_000

/**
 * Installs exactly the packages of package-lock.json into node_modules. Does nothing if they are already installed, by any program. Runs no install
 * script of a package. Detects and repeats an interrupted install.
 *
 * @returns {Promise<number>} milliseconds spent
 */
export async function ensureInstalled() {
  const lock = await readFile(lockFile, 'utf8')
  const stamp = JSON.stringify({
    lock: createHash('sha256').update(lock).digest('hex'),
    platform: `${process.platform}-${process.arch}`,
  })
  const before = await readOptional(stampFile)
  if ((await readOptional(hiddenLockFile)) !== undefined) {
    if (before === stamp) return 0
    if (samePlatform(before, stamp) && (await holds(lock))) {
      await writeStamp(stamp)
      return 0
    }
  }
  const { ms } = await step('Install dependencies (npm ci; once, about half a minute)', async () => {
    // From here until npm's last write, node_modules counts as not installed, even if this process is killed.
    await rm(stampFile, { force: true })
    await rm(hiddenLockFile, { force: true })
    await npmCi(root)
    if (!(await holds(lock)))
      throw new Refusal('npm ci reported no error, but packages are missing. Remove node_modules and try again.')
    await writeStamp(stamp)
  })
  return ms
}

/** @returns {string[]} program and first arguments to run npm: the npm that runs this script, else the one on the PATH. */
export function npmCommand() {
  const path = process.env.npm_execpath
  return path?.endsWith('npm-cli.js') === true ? [process.execPath, path] : ['npm']
}

/** Installs exactly the packages of a folder's lock file, without install scripts. */
export async function npmCi(folder) {
  const [command, ...own] = npmCommand()
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=http', `--fetch-timeout=${registryIdleMsMax}`]
  let result
  try {
    result = await run(command, [...own, ...args], {
      cwd: folder,
      output: 'capture',
      silentMsMax: installSilentMsMax,
    })
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Refusal('npm was not found on the PATH. Install it with Node.js from https://nodejs.org')
    throw error
  }
  if (result.overdue) {
    throw new Refusal(
      `npm made no progress for ${installSilentMsMax / 60_000} minutes: the connection to the registry has stalled. Run the command again; fetched packages are kept.`,
    )
  }
  // On a full disk npm only warns while it unpacks, so the exit code alone is not enough.
  if (result.code !== 0 || /\bENOSPC\b/.test(result.output)) throw new Refusal(await describeNpmFailure(result.output))
}

const registryCodes =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b/

/** @returns {Promise<string>} an explanation of the failure, then the last lines of npm's output */
async function describeNpmFailure(output) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1] ?? ''
  const said = output.split('\n').filter((line) => line !== '' && !line.startsWith('npm http '))
  const last = said.slice(-15).join('\n')
  return `${await npmFailure(code, output)}\n\nOutput of npm:\n${last}`
}

async function npmFailure(code, output) {
  if (/\b(ENOSPC|EDQUOT)\b/.test(output)) {
    return `The disk is full: ${await freeMib()} MiB are free at ${root}, but an install needs about ${installMibMin} MiB (including npm's cache). Free some space, then run the command again.`
  }
  if (registryCodes.test(code) || registryCodes.test(output)) {
    return 'The npm registry could not be reached. Check the network and, behind a proxy or mirror, npm\'s settings ("npm config get registry", "npm ping"), then run the command again.'
  }
  if (/^E(401|403|407)$/.test(code))
    return `The npm registry refused access (${code}). Check the credentials in your .npmrc ("npm config ls").`
  if (/^E(404|ETARGET)$|^ETARGET$/.test(code))
    return 'The npm registry does not have a required package. A mirror may be out of date ("npm config get registry").'
  if (/^E5\d\d$/.test(code)) return `The npm registry failed with a server error (${code}). Try again later.`
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return `npm did not accept the registry's certificate (${code}). Behind an intercepting proxy, set npm's "cafile".`
  if (code === 'EINTEGRITY')
    return 'The hash of a downloaded package differs from package-lock.json. Run "npm cache clean --force" to remove a damaged cache. If that does not help, do not trust your mirror.'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `npm has no permission to write (${code}). Check the owner of ${root} and of npm's cache folder ("npm config get cache").`
  if (code === 'EUSAGE')
    return 'package.json and package-lock.json do not agree. Run "npm install --ignore-scripts" once and commit the lock file.'
  return 'npm could not install the dependencies.'
}

/** @returns {Promise<boolean>} whether node_modules contains every package of the lock file that this machine can use, in the locked version */
async function holds(lock) {
  const hidden = await readOptional(hiddenLockFile)
  if (hidden === undefined) return false
  const installed = JSON.parse(hidden).packages
  return Object.entries(JSON.parse(lock).packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    // npm decides by platform which optional packages it installs.
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true
    const sameBytes = wanted.integrity === undefined || found.integrity === wanted.integrity
    return found.version === wanted.version && sameBytes && found.link === wanted.link
  })
}

/** Binaries of another platform cannot be used: for example, a folder copied from a Mac into a container is installed again. */
function samePlatform(before, stamp) {
  return before === undefined || JSON.parse(before).platform === JSON.parse(stamp).platform
}

async function writeStamp(stamp) {
  await mkdir(cacheFolder, { recursive: true })
  await writeFile(stampFile, stamp)
}

/** @returns {Promise<string | undefined>} the text of a file; undefined if it does not exist */
export async function readOptional(path) {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  }
}
