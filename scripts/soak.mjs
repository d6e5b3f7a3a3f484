#!/usr/bin/env node
// `npm run soak [-- --minutes 30] [--heap 256] [--versions 20,22,24]`: runs a devnet under steady load. Exits with 1 if memory, handles or latency grow.
import './lib/node-version.mjs'

void Promise.all([
  import('node:util'),
  import('./lib/bootstrap.mjs'),
  import('./lib/node-versions.mjs'),
  import('./lib/steps.mjs'),
]).then(([{ parseArgs }, { bootstrap }, { nodesOf }, { main }]) =>
  main(async () => {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        heap: { type: 'string', default: '256' },
        versions: { type: 'string', default: '' },
        'rpc-port': { type: 'string', default: '18645' },
        'p2p-port': { type: 'string', default: '36756' },
      },
    })
    await bootstrap()
    const { soak } = await import('./bench/lib/soak.mjs')
    const own = { version: process.versions.node, path: process.execPath }
    const nodes = values.versions === '' ? [own] : await nodesOf(values.versions.split(','))
    let code = 0
    for (const { version, path } of nodes) {
      console.log(`\nNode ${version}, heap of ${values.heap} MB, ${values.minutes} minutes`)
      const { findings } = await soak({
        minutes: Number(values.minutes),
        heapMegabytes: Number(values.heap),
        nodePath: path,
        rpcPort: Number(values['rpc-port']),
        p2pPort: Number(values['p2p-port']),
        print: (line) => console.log(line),
      })
      for (const finding of findings) console.log(`✗ ${finding}`)
      if (findings.length === 0) console.log('✓ nothing grew')
      else code = 1
    }
    return code
  }),
)
