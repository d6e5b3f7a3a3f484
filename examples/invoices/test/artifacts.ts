import { fileURLToPath } from 'node:url'
import { build, formatDiagnostics } from '@quoin/contracts/build'
import { ledgerAbi, tokenAbi } from '../src/ledger.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))

const built = await build({
  project: PROJECT,
  entries: ['contracts/ledger.ts', 'contracts/token.ts'],
  typeCheck: false,
  conditions: ['@quoin/source'],
})
if (!built.ok) throw new Error(formatDiagnostics(built.error))
const [ledgerBuilt, tokenBuilt] = built.value as [(typeof built.value)[number], (typeof built.value)[number]]

/** The contracts, as `quoin build` makes them, with the types of their interfaces. */
export const artifacts = {
  ledger: { name: 'ledger', abi: ledgerAbi, bytecode: ledgerBuilt.bytecode, sourceMap: ledgerBuilt.sourceMap },
  token: { name: 'token', abi: tokenAbi, bytecode: tokenBuilt.bytecode, sourceMap: tokenBuilt.sourceMap },
} as const
