#!/usr/bin/env node
// `npm run bench [-- name ...]`: builds, then runs the benches one after another. Figures and method: docs/benchmarks.md.
// Options after a single name are passed to that bench: `npm run bench -- devnet --tokens`.
import './lib/node-version.mjs'

void Promise.all([
  import('node:fs/promises'),
  import('node:path'),
  import('./lib/bootstrap.mjs'),
  import('./lib/child.mjs'),
  import('./lib/paths.mjs'),
  import('./lib/steps.mjs'),
]).then(([{ readdir }, { join }, { bootstrap }, { run }, { root }, { main, Refusal }]) =>
  main(async () => {
    const folder = join(root, 'scripts', 'bench')
    const known = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).map((name) => name.slice(0, -4))
    const args = process.argv.slice(2)
    const firstOption = args.findIndex((arg) => arg.startsWith('-'))
    const wanted = firstOption < 0 ? args : args.slice(0, firstOption)
    const options = args.slice(wanted.length)
    const stranger = wanted.find((name) => !known.includes(name))
    if (stranger !== undefined) throw new Refusal(`Unknown bench "${stranger}". Available: ${known.join(', ')}.`)
    if (options.length > 0 && wanted.length !== 1)
      throw new Refusal(`Options are for a single bench. Name exactly one: npm run bench -- <name> ${options.join(' ')}`)
    await bootstrap()
    for (const name of wanted.length > 0 ? wanted : known.toSorted()) {
      console.log(`\n=== ${name}`)
      const { code } = await run(process.execPath, [join(folder, `${name}.mjs`), ...options], { cwd: root })
      if (code !== 0) throw new Refusal(`The bench "${name}" failed with exit code ${code}.`)
    }
    return 0
  }),
)
