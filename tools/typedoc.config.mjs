import { readFileSync } from 'node:fs'

/** What a container needs of a package; authors do not import it. */
const INTERNAL = ['./description', './package.json']

/** The sources of what people import of a package, by the path that they import it by. */
function sourcesOf(name) {
  const { exports } = JSON.parse(readFileSync(new URL(`../packages/${name}/package.json`, import.meta.url), 'utf8'))
  return Object.entries(exports)
    .filter(([path]) => !INTERNAL.includes(path))
    .map(([path, conditions]) => ({
      path: `@quoin/${name}${path.slice(1)}`,
      source: `${name}/${conditions['@quoin/source'].slice(2)}`,
    }))
}

const sources = ['contracts', 'sdk'].flatMap(sourcesOf)

/** What typedoc calls a module is its path in the sources; people know it by another. */
export const names = new Map(sources.map(({ path, source }) => [source.replace(/(?:\/index)?\.ts$/, ''), path]))

export default {
  name: 'Quoin',
  readme: 'none',
  plugin: ['./module-names.mjs'],
  entryPoints: sources.map(({ source }) => `../packages/${source}`),
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
