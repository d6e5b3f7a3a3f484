import { Interrupted } from './child.mjs'

/** A failure that the user can correct. The message is shown without a stack. */
export class Refusal extends Error {}

/** `4.2 s`, or `2 min 5 s` from a minute on. */
export function formatDuration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * Runs a step; prints its name and how long it took.
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
 * Runs a script's body and sets the process's exit code. Refusals and interruptions are printed to stderr without a stack.
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

/** Prints to stderr why a script stopped. Returns the exit code. */
export function explain(error) {
  if (error instanceof Interrupted) {
    console.error('\nStopped. Run the same command again to continue.')
    return error.exitCode
  }
  console.error(error instanceof Refusal ? `\n${error.message}` : error)
  return 1
}
