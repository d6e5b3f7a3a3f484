import { fileURLToPath } from 'node:url'
import { executionVersion } from '@quoin/execution'
import { createContracts } from '@quoin/execution/contract'
import { type ChainId, nobleCrypto } from '@quoin/protocol'
import { build } from 'esbuild'
import type { Abi } from 'viem'
import { containerOf } from '../../../test/contracts/contract.mjs'
import { creationOf, type TestContract, type TestContracts } from '../../execution/test/contracts.ts'
import { contractInterpreter } from '../../execution/test/interpreter.ts'
import { type Declaration, readDeclaration } from '../src/build/declaration.ts'
import { Trial } from '../src/build/trial.ts'

const directory = fileURLToPath(new URL('.', import.meta.url))

let trial: Trial | undefined

/** A contract written with the kit, bundled as in an author's build. */
export class KitContract {
  readonly source: string
  readonly #declaration: Declaration

  constructor(source: string, declaration: Declaration) {
    this.source = source
    this.#declaration = declaration
  }

  get abi(): Abi {
    return this.#declaration.abi as unknown as Abi
  }

  /** One `name type` for each field of the state. */
  get layout(): readonly string[] {
    return this.#declaration.layout.map(({ name, type }) => `${name} ${type}`)
  }

  /** The container, without the constructor's arguments. */
  get container(): Uint8Array {
    const { upgradeAuthority, reentrantSelectors } = this.#declaration
    return containerOf(this.source, this.abi, { upgradeAuthority, reentrantSelectors })
  }

  /** Data of a creation transaction. */
  creation(args: readonly unknown[] = []): Uint8Array {
    const { upgradeAuthority, reentrantSelectors } = this.#declaration
    return creationOf(this.source, this.abi, args, { upgradeAuthority, reentrantSelectors })
  }

  /** Deploys the contract. Throws if the deployment fails. */
  deploy(contracts: TestContracts, args: readonly unknown[] = []): TestContract {
    const outcome = contracts.create(this.creation(args))
    if (!outcome.ok) throw new Error(`no contract: ${outcome.reason}`)
    return { address: outcome.contractAddress!, abi: this.abi }
  }
}

/** Builds the contract of a module in `fixtures`. */
export const kitFixture = (name: string): Promise<KitContract> => kitContract(`export { default } from './fixtures/${name}.ts'`)

/**
 * Builds the contract of a module's source. Its imports are relative to this folder. Throws the build's error for an invalid declaration.
 */
export async function kitContract(text: string): Promise<KitContract> {
  const [source, described] = await Promise.all([bundled(text, 'export { default } from "contract"'), describe(text)])
  const declaration = readDeclaration(nobleCrypto, described)
  if (!declaration.ok) throw new Error(declaration.error.message)
  return new KitContract(source, declaration.value)
}

async function describe(text: string): Promise<unknown> {
  const source = await bundled(
    text,
    `import { descriptionOf } from '@quoin/contracts/description'
    import definition from 'contract'
    export default { functions: { describe: () => [typeof definition, descriptionOf(definition)] } }`,
  )
  trial ??= new Trial(
    createContracts({
      crypto: nobleCrypto,
      chainId: 1 as ChainId,
      interpreter: contractInterpreter(),
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    }),
  )
  const description = trial.describe(source)
  if (!description.ok) throw new Error(description.error.message)
  return description.value
}

/** Bundles an entry that can import the author's module as `contract`. */
async function bundled(contract: string, entry: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: directory, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    conditions: ['@quoin/source'],
    minify: true,
    logLevel: 'silent',
    plugins: [
      {
        name: 'contract',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^contract$/ }, ({ path }) => ({ path, namespace: 'contract' }))
          onLoad({ filter: /.*/, namespace: 'contract' }, () => ({ contents: contract, resolveDir: directory, loader: 'ts' }))
        },
      },
    ],
  })
  return outputFiles[0]!.text
}
