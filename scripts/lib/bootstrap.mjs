import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'

/**
 * Takes a fresh clone, or one where anything changed, to where its programs can run: dependencies installed, packages built.
 * Each step that has something to do is named with its duration.
 *
 * @returns {Promise<number>} milliseconds spent
 * @throws Refusal with what the user can do; Interrupted after Ctrl-C, the clone then being in a state the next call recovers.
 */
export async function bootstrap() {
  return (await ensureInstalled()) + (await ensureBuilt())
}
