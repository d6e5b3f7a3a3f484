// Every script imports this first and alone, so that a too old Node.js prints a message and not a syntax error.
// This file uses only ES2015: no `node:` imports, no optional chaining, no top-level await.

const required = [20, 19]
const version = process.versions.node
const parts = version.split('.').map(Number)

if (parts[0] < required[0] || (parts[0] === required[0] && parts[1] < required[1])) {
  console.error(
    'Quoin needs Node.js ' + required.join('.') + ' or newer; this is Node.js ' + version + ' (' + process.execPath + ').',
  )
  console.error(
    'Install a current release from https://nodejs.org or with your version manager (nvm install 22), then run the command again.',
  )
  process.exit(1)
}
