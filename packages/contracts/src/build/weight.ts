import type { Metafile } from 'esbuild'
import type { ProjectFiles } from './project-files.ts'
import { VIRTUAL } from './source-map.ts'

/** What a part of the sources adds to a bundle. */
export interface Weight {
  /** `the kit`, a module of @quoin/contracts (`@quoin/contracts/erc20`), another package, or a file of the project. */
  readonly name: string
  /** Bytes in the minified module. */
  readonly bytes: number
}

/** How much each part of the sources adds to an output of the bundler, heaviest first. */
export function weightsOf(metafile: Metafile, output: string, files: ProjectFiles): readonly Weight[] {
  const bytes = new Map<string, number>()
  for (const [path, { bytesInOutput }] of Object.entries(metafile.outputs[output]?.inputs ?? {})) {
    if (path.startsWith(VIRTUAL) || bytesInOutput === 0) continue
    const name = partOf(files, path)
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput)
  }
  return [...bytes].map(([name, sum]) => ({ name, bytes: sum })).sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1))
}

const KIT = '@quoin/contracts'

function partOf(files: ProjectFiles, path: string): string {
  const { name, package: owner } = files.name(path)
  if (owner !== KIT) return owner ?? name
  const standard = /\/standards\/(.*)\.[cm]?[jt]s$/.exec(name)?.[1]
  return standard === undefined ? 'the kit' : `${KIT}/${standard}`
}
