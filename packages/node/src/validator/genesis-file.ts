import { readFile } from 'node:fs/promises'
import { type Genesis, nobleCrypto, parseGenesis } from '@quoin/protocol'
import { simulatedRefusal } from '../chain/simulated.ts'
import { CommandError, orFail } from './failure.ts'

/** The genesis of a file, for a chain of validators. Fails with the file's name and what is wrong in it; rejects with ENOENT when there is none. */
export async function readGenesisFile(path: string): Promise<Genesis> {
  const text = await readFile(path, 'utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (failure) {
    throw new CommandError(`${path} is not JSON: ${(failure as Error).message}`)
  }
  const genesis = orFail(parseGenesis(nobleCrypto, document), path)
  const refusal = simulatedRefusal(genesis)
  if (refusal !== undefined) throw new CommandError(`${path}: ${refusal.message}`)
  return genesis
}
