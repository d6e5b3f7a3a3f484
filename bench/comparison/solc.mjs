#!/usr/bin/env node
// The part of solc's command line that forge uses, on top of npm's solc package, which is WebAssembly without a program.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

if (process.argv.includes('--version')) {
  // Not read from the compiler, because loading it takes half a second and forge asks each time.
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`Version: ${dependencies.solc}\n`)
} else {
  const { default: solc } = await import('solc')
  process.stdout.write(solc.compile(await text(process.stdin)))
}
