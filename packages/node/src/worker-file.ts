import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * The compiled module to start a worker from. `moduleUrl` is the caller's import.meta.url, `name` the worker's file beside it without
 * extension. A caller that itself runs from source (vitest) gets the twin under dist, because a worker of Node 20 runs no TypeScript.
 * Throws when that is not built.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const beside = new URL(`./${name}.js`, moduleUrl)
  const source = beside.href.lastIndexOf('/src/')
  const compiled =
    isSource(moduleUrl) && source >= 0
      ? new URL(`${beside.href.slice(0, source)}/dist/${beside.href.slice(source + '/src/'.length)}`)
      : beside
  if (!existsSync(compiled)) throw new Error(`${fileURLToPath(compiled)} is missing: build the packages first (npm run build)`)
  return compiled
}

const isSource = (moduleUrl: string): boolean => moduleUrl.endsWith('.ts')

/** A thread that runs `workerFile(moduleUrl, name)`; whoever starts it ends it and waits for it. */
export function startWorker(moduleUrl: string, name: string, options: Omit<WorkerOptions, 'name' | 'execArgv'> = {}): Worker {
  // A test runner's own flags would make the compiled worker import the packages' sources.
  const flags = isSource(moduleUrl) ? { execArgv: [] } : {}
  return new Worker(workerFile(moduleUrl, name), { ...options, ...flags, name })
}
