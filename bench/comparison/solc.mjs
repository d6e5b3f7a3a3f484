#!/usr/bin/env node
// What forge uses of solc's command line, in front of the compiler that npm has: WebAssembly, no program of its own.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

if (process.argv.includes('--version')) {
  // Not from the compiler, which takes half a second to load; forge asks each time.
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`Version: ${dependencies.solc}\n`)
} else {
  const { default: solc } = await import('solc')
  process.stdout.write(solc.compile(await text(process.stdin)))
}
