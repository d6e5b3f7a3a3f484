import { Interrupted } from './child.mjs'

/** Something the user can put right: shown as it is, without a stack. */
export class Refusal extends Error {}

/** `4.2 s`, or `2 min 5 s` from a minute on. */
export function formatDuration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * Names a step, does it, and says how long it took.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} action
 * @returns {Promise<{ value: T, ms: number }>}
 */
export async function step(name, action) {
  console.log(`▸ ${name} …`)
  const started = performance.now()
  try {
    const value = await action()
    const ms = performance.now() - started
    console.log(`✓ ${name}: ${formatDuration(ms)}`)
    return { value, ms }
  } catch (error) {
    if (!(error instanceof Interrupted)) console.log(`✗ ${name}: ${formatDuration(performance.now() - started)}`)
    throw error
  }
}

/**
 * Runs a script's body and ends the process with its exit code; refusals and interruptions become a sentence on stderr.
 *
 * @param {() => Promise<number>} body
 */
export function main(body) {
  body().then(
    (code) => {
      process.exitCode = code
    },
    (error) => {
      process.exitCode = explain(error)
    },
  )
}

/** Says on stderr why a script stopped; returns the exit code that fits. */
export function explain(error) {
  if (error instanceof Interrupted) {
    console.error('\nStopped. Run the same command again to go on from here.')
    return error.exitCode
  }
  console.error(error instanceof Refusal ? `\n${error.message}` : error)
  return 1
}
