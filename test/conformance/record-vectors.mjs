// Writes contract-vectors.json again, from dist. Run it after a change that is meant to change gas or outcomes, and read the diff
// before you commit it.
import { writeFile } from 'node:fs/promises'
import { executionVersion } from '@quoin/execution'
import { createContracts, Journal, Machine } from '@quoin/execution/contract'
import { loadContractInterpreter } from '../../packages/platform/dist/wasm.js'
import { runVectors } from './contract-vectors.mjs'

const found = runVectors({ createContracts, executionVersion, Machine, Journal }, await loadContractInterpreter())
await writeFile(new URL('contract-vectors.json', import.meta.url), `${JSON.stringify(found, undefined, 2)}\n`)
