/**
 * The contract vectors over dist, as lines that must be the same wherever they run. As a program or worker it writes them as
 * JSON; V8 flags come before the script.
 */
import { pathToFileURL } from 'node:url'
import { isMainThread, parentPort } from 'node:worker_threads'
import { executionVersion } from '@quoin/execution'
import { createContracts, Journal, Machine } from '@quoin/execution/contract'
import { loadContractInterpreter } from '../../packages/platform/dist/wasm.js'
import { linesOf, runVectors } from './contract-vectors.mjs'

const isProgram = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href
const lines = linesOf(runVectors({ createContracts, executionVersion, Machine, Journal }, await loadContractInterpreter()))
if (isMainThread && isProgram) process.stdout.write(JSON.stringify(lines))
else parentPort?.postMessage(lines)
