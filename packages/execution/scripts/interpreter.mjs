// Part of the build: meters the interpreter's binary into dist/vm/interpreter.wasm. Refuses any bytes but the pinned ones,
// because they are part of consensus.
import { createHash } from 'node:crypto'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { INTERPRETER_BINARY, meterInterpreter } from '../dist/vm/index.js'

const target = new URL('../dist/vm/interpreter.wasm', import.meta.url)
const upstream = import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')
const source = await readFile(fileURLToPath(upstream))
check('the package', source, INTERPRETER_BINARY.sourceSha256)
const metered = meterInterpreter(source)
check('metering', metered, INTERPRETER_BINARY.meteredSha256)
await writeFile(target, metered)
// The licence of QuickJS demands its notice in every copy.
await copyFile(new URL('../LICENSE', upstream), new URL('interpreter.wasm.LICENSE.txt', target))

function check(what, bytes, expected) {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === expected) return
  throw new Error(`${what} gives a binary with SHA-256 ${found}, src/vm/binary.ts expects ${expected}`)
}
