#!/usr/bin/env node
// `npm run build`: installs missing dependencies and builds changed packages.
import './lib/node-version.mjs'

void Promise.all([import('./lib/bootstrap.mjs'), import('./lib/steps.mjs')]).then(([{ bootstrap }, { main }]) =>
  main(async () => {
    await bootstrap()
    return 0
  }),
)
