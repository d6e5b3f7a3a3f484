#!/usr/bin/env node
// `npm run bench [-- name ...]`: builds, then runs the benches one after another. Figures and method: docs/benchmarks.md.
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
    const wanted = process.argv.slice(2)
    const stranger = wanted.find((name) => !known.includes(name))
    if (stranger !== undefined) throw new Refusal(`There is no bench "${stranger}". There are: ${known.join(', ')}.`)
    await bootstrap()
    for (const name of wanted.length > 0 ? wanted : known.toSorted()) {
      console.log(`\n=== ${name}`)
      const { code } = await run(process.execPath, [join(folder, `${name}.mjs`)], { cwd: root })
      if (code !== 0) throw new Refusal(`The bench "${name}" ended with code ${code}.`)
    }
    return 0
  }),
)
