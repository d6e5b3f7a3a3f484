import { bootstrap } from './bootstrap.mjs'
import { explain, Refusal } from './steps.mjs'
import { add, bootstrapMinutesMax, formatCounts, none, overBudget, runSuite, suites } from './suites.mjs'

const usage = `npm test [-- [--long] [suite ...]]

Installs and builds if needed, then runs the suites one after another.
Suites: ${suites.map(({ name }) => name).join(', ')} (default: all)
--long   many more seeds and rounds, without time budgets`

/**
 * The body of `npm test`. The last line it prints on stdout is always the three counts.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function test(args) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return 0
  }
  let totals = none
  let code = 0
  try {
    const { long, chosen } = parse(args)
    totals = add(totals, overBudget('install and build', await bootstrap(), bootstrapMinutesMax))
    for (const suite of chosen) totals = add(totals, await runSuite(suite, { long }))
    if (totals.passed + totals.failed === 0) throw new Refusal('No test ran.')
  } catch (error) {
    code = explain(error)
    totals = add(totals, { ...none, failed: 1 })
  }
  if (totals.failures.length > 0) console.log(`\n${totals.failures.map((failure) => `✗ ${failure}`).join('\n')}`)
  console.log(`\n${formatCounts(totals)}`)
  return code === 0 && totals.failed > 0 ? 1 : code
}

function parse(args) {
  const names = args.filter((arg) => !arg.startsWith('-'))
  const unknown = args.find((arg) => (arg.startsWith('-') ? arg !== '--long' : !suites.some(({ name }) => name === arg)))
  if (unknown !== undefined)
    throw new Refusal(`Unknown ${unknown.startsWith('-') ? 'option' : 'suite'} "${unknown}".\n\n${usage}`)
  return {
    long: args.includes('--long'),
    chosen: names.length === 0 ? suites : suites.filter(({ name }) => names.includes(name)),
  }
}
