import { run } from './child.mjs'
import { freeMib } from './disk.mjs'
import { root, tool } from './paths.mjs'
import { Refusal, step } from './steps.mjs'

const turboEnvironment = {
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  TURBO_PRINT_VERSION_DISABLED: '1',
}

/** With less free disk than this a failed build is taken for one that had no room, in MiB. */
const buildMibMin = 16

/**
 * Compiles what is stale; turbo knows by the hash of each package's sources.
 *
 * @returns {Promise<number>} milliseconds spent
 */
export async function ensureBuilt() {
  const { ms } = await step('Build (turbo run build)', async () => {
    const args = [tool('turbo/bin/turbo'), 'run', 'build', '--output-logs=new-only', '--log-order=grouped']
    const { code, output } = await run(process.execPath, args, { cwd: root, env: turboEnvironment, output: 'capture' })
    if (code === 0) return
    // The compiler does not say that the disk is full, it breaks.
    const free = await freeMib()
    if (free < buildMibMin) {
      throw new Refusal(`The disk is full: ${free} MiB are free at ${root}. Make room, then run the command again.`)
    }
    throw new Refusal(`The build failed:\n${output.trimEnd()}`)
  })
  return ms
}
