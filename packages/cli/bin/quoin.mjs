#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `quoin needs Node.js 20.19 or later; this is ${process.version}. Install a current one from https://nodejs.org.\n`,
  )
  process.exit(1)
}
void import('../dist/main.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code
  })
