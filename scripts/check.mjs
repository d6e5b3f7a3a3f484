#!/usr/bin/env node
// `npm run check`: format, lint, types, dead code, packages.
import './lib/node-version.mjs'

void Promise.all([import('./lib/check.mjs'), import('./lib/steps.mjs')]).then(([{ check }, { main }]) =>
  main(() => check(process.argv.slice(2))),
)
