import fc from 'fast-check'
import { expect } from 'vitest'

/**
 * Properties of fast-check, which draw another seed each time: a failure says how to run it again, and QUOIN_TEST_SEED does. A set-up file of
 * vitest, for every suite.
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

// oxlint-disable-next-line typescript/no-deprecated -- its successor, a plugin, cannot be given to all properties at once
fc.configureGlobal({ reporter: report, ...(given === undefined ? {} : { seed: Number(given) }) })
