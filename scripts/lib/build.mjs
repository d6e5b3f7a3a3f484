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

/** If a build fails with less free disk space than this, in MiB, a full disk is taken as the cause. */
const buildMibMin = 16

/**
 * Compiles changed packages. turbo detects changes by a hash of each package's sources.
 *
 * @returns {Promise<number>} milliseconds spent
 */
export async function ensureBuilt() {
  const { ms } = await step('Build (turbo run build)', async () => {
    const args = [tool('turbo/bin/turbo'), 'run', 'build', '--output-logs=new-only', '--log-order=grouped']
    const { code, output } = await run(process.execPath, args, { cwd: root, env: turboEnvironment, output: 'capture' })
    if (code === 0) return
    // On a full disk the compiler crashes without saying why.
    const free = await freeMib()
    if (free < buildMibMin) {
      throw new Refusal(
        `The build failed because the disk is full: ${free} MiB are free at ${root}. Free some space, then run the command again.`,
      )
    }
    throw new Refusal(`The build failed:\n${output.trimEnd()}`)
  })
  return ms
}
