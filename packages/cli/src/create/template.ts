import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from '@quoin/node/process'
import { installedDirectory, packageDirectory } from './tarballs.ts'

/** What a new project is: a contract with its test, or a contract with its page. */
export type TemplateName = 'contract' | 'dapp'

/** The package that a page is written with. It has the template of a page; a project without a page does not install it. */
const SDK = '@quoin/sdk'

/** What every project has, whatever is in it: settings of package managers and compilers. */
const SHARED = ['npmrc', 'yarnrc.yml', 'tsconfig.json', join('test', 'tsconfig.json')]

/** A project's files, and what it installs. */
export interface Template {
  /** @quoin packages that the project installs beside @quoin/cli and its dependencies. */
  readonly packages: readonly string[]
  copyTo(project: string): Promise<void>
}

/** @throws CommandError when a package that the template needs is not installed */
export function templateOf(name: TemplateName): Template {
  const contract = join(packageDirectory('@quoin/contracts'), 'template')
  if (name === 'contract') return { packages: [], copyTo: (project) => cp(contract, project, { recursive: true }) }
  const sdk = installedDirectory(SDK)
  if (sdk === undefined)
    throw new CommandError(
      `the template "${name}" needs ${SDK}, which is not installed beside @quoin/cli. Create the project from the clone of Quoin, or from a project that has the package`,
    )
  return {
    packages: [SDK],
    async copyTo(project) {
      await cp(join(sdk, 'template'), project, { recursive: true })
      for (const file of SHARED) await cp(join(contract, file), join(project, file))
    },
  }
}
