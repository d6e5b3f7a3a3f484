#!/usr/bin/env node
// `npm run test:node-versions [-- --tests]`: runs the contract interpreter under several versions of Node.js and modes of V8.
import './lib/node-version.mjs'

void Promise.all([import('./lib/node-versions.mjs'), import('./lib/steps.mjs')]).then(([{ compareNodeVersions }, { main }]) =>
  main(() => compareNodeVersions(process.argv.slice(2))),
)
