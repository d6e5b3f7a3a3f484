#!/usr/bin/env node
// `npm test`: install, build, every suite.
import './lib/node-version.mjs'

void Promise.all([import('./lib/test.mjs'), import('./lib/steps.mjs')]).then(([{ test }, { main }]) =>
  main(() => test(process.argv.slice(2))),
)
