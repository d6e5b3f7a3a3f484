import { readFile } from 'node:fs/promises'
import { type Genesis, nobleCrypto, parseGenesis } from '@quoin/protocol'
import { simulatedRefusal } from '../chain/simulated.ts'
import { CommandError, orFail } from './failure.ts'

/**
 * Reads the genesis of a validator chain from a file.
 *
 * @throws {CommandError} Names the file and what is wrong in it. A simulated genesis (`quoin dev`) is refused too.
 * @throws ENOENT if the file does not exist.
 */
export async function readGenesisFile(path: string): Promise<Genesis> {
  const text = await readFile(path, 'utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (failure) {
    throw new CommandError(`${path} is not valid JSON: ${(failure as Error).message}`)
  }
  const genesis = orFail(parseGenesis(nobleCrypto, document), path)
  const refusal = simulatedRefusal(genesis)
  if (refusal !== undefined) throw new CommandError(`${path}: ${refusal.message}`)
  return genesis
}
