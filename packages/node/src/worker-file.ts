import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The compiled module to start a worker from. `moduleUrl` is the caller's import.meta.url, `name` the worker's file beside it without
 * extension. A caller that itself runs from source (vitest) gets the twin under dist, because a worker of Node 20 runs no TypeScript.
 * Throws when that is not built.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const beside = new URL(`./${name}.js`, moduleUrl)
  const source = beside.href.lastIndexOf('/src/')
  const compiled =
    moduleUrl.endsWith('.ts') && source >= 0
      ? new URL(`${beside.href.slice(0, source)}/dist/${beside.href.slice(source + '/src/'.length)}`)
      : beside
  if (!existsSync(compiled)) throw new Error(`${fileURLToPath(compiled)} is missing: build the packages first (npm run build)`)
  return compiled
}
