import { existsSync } from 'node:fs'
import { CommandError } from '@quoin/node/process'
import { CLI_VERSION } from './cli-version.ts'

const NAME = '@quoin/validator'

/** Where `quoin create` puts the package in a project, which does not install it. */
export const VALIDATOR_TARBALL = `vendor/quoin-validator-${CLI_VERSION}.tgz`

/**
 * Loads the code of a command that runs or prepares a validator. It is in a package of its own, because authors of contracts do not need it.
 *
 * @param load imports the package
 * @param isFile whether a file exists, relative to the current directory
 * @throws CommandError with the line to type when the package is not installed
 */
export async function fromValidator<T>(load: () => Promise<T>, isFile: (path: string) => boolean = existsSync): Promise<T> {
  try {
    return await load()
  } catch (failure) {
    if (!isMissing(failure)) throw failure
    const source = isFile(VALIDATOR_TARBALL) ? `./${VALIDATOR_TARBALL}` : `${NAME}@${CLI_VERSION}`
    throw new CommandError(`this command needs ${NAME}, which is not installed. Type: npm install --save-dev ${source}`)
  }
}

/** Node.js names the package in the message only. A package that is missing within it is a broken installation: the message says what. */
const isMissing = (failure: unknown): boolean =>
  failure instanceof Error &&
  'code' in failure &&
  failure.code === 'ERR_MODULE_NOT_FOUND' &&
  failure.message.startsWith(`Cannot find package '${NAME}'`)
