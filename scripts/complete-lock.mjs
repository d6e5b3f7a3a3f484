#!/usr/bin/env node
// Run after `npm install`: adds the other platforms' packages that npm left out of package-lock.json.
import './lib/node-version.mjs'

void Promise.all([import('node:fs/promises'), import('./lib/lock.mjs'), import('./lib/steps.mjs')]).then(
  ([{ readFile, writeFile }, { completeLock }, { main, Refusal }]) =>
    main(async () => {
      const { text, added, unknown } = completeLock(await readFile('package-lock.json', 'utf8'))
      if (unknown.length > 0)
        throw new Refusal(
          `package-lock.json has no entry for these optional packages, and their names do not tell the platform: ${unknown.join(', ')}`,
        )
      await writeFile('package-lock.json', text)
      console.log(added.length === 0 ? 'package-lock.json is complete.' : `Added to package-lock.json:\n  ${added.join('\n  ')}`)
      return 0
    }),
)
