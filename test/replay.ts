import fc from 'fast-check'
import { expect } from 'vitest'

/**
 * fast-check properties use a new seed in each run. After a failure, the message shows the command that repeats it, with QUOIN_TEST_SEED. This is a
 * setup file of vitest, for all suites.
 */
const given = process.env['QUOIN_TEST_SEED']
if (given !== undefined && !Number.isSafeInteger(Number(given)))
  throw new Error(`QUOIN_TEST_SEED must be an integer, not ${given}`)

function report<T>(details: fc.RunDetails<T>): void {
  if (!details.failed) return
  const { testPath } = expect.getState()
  const again = `Again: QUOIN_TEST_SEED=${details.seed} npx vitest run ${testPath?.replace(`${process.cwd()}/`, '') ?? ''}`
  throw new Error(`${fc.defaultReportMessage(details)}\n\n${again}`, { cause: details.errorInstance })
}

// oxlint-disable-next-line typescript/no-deprecated -- its successor, a plugin, cannot be set for all properties at once
fc.configureGlobal({ reporter: report, ...(given === undefined ? {} : { seed: Number(given) }) })
