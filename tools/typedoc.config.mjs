import { readFileSync } from 'node:fs'

const contracts = new URL('../packages/contracts/', import.meta.url)

/** What a container needs of the package; authors do not import it. */
const INTERNAL = ['./description', './package.json']

/** The sources of what authors import, by the path that they import it by. */
const sources = Object.entries(JSON.parse(readFileSync(new URL('package.json', contracts), 'utf8')).exports)
  .filter(([path]) => !INTERNAL.includes(path))
  .map(([path, conditions]) => [path, conditions['@quoin/source']])

/** What typedoc calls a module is its path in the sources; people know it by another. */
export const names = new Map(
  sources.map(([path, source]) => [source.replace(/^\.\/src\/|(?:\/index)?\.ts$/g, ''), `@quoin/contracts${path.slice(1)}`]),
)

export default {
  name: '@quoin/contracts',
  readme: 'none',
  plugin: ['./module-names.mjs'],
  entryPoints: sources.map(([, source]) => `../packages/contracts/${source.slice(2)}`),
  tsconfig: './tsconfig.json',
  out: '../docs/api',
  // The repository's own TypeScript checks the types: `npm run check -- types`.
  skipErrorChecking: true,
  disableGit: true,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  validation: { notDocumented: true, notExported: false, invalidLink: true },
  requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable', 'Enum'],
  treatWarningsAsErrors: true,
}
