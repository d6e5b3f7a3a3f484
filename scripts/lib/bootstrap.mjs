import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'

/**
 * Prepares a fresh or changed clone so that its programs can run: installs dependencies and builds packages. Prints each step that has work to do,
 * with its duration.
 *
 * @returns {Promise<number>} milliseconds spent
 * @throws Refusal with advice for the user; Interrupted after Ctrl-C. The next call recovers from an interruption.
 */
export async function bootstrap() {
  return (await ensureInstalled()) + (await ensureBuilt())
}
