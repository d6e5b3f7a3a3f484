import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Locates the compiled module of a worker. A caller that runs from source (vitest) gets the file under dist, because workers in Node 20
 * cannot run TypeScript.
 *
 * @param moduleUrl - The caller's `import.meta.url`.
 * @param name - File name of the worker, in the caller's directory, without extension.
 * @throws If the file does not exist because the package is not built.
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

/** Starts a thread that runs `workerFile(moduleUrl, name)`. The caller terminates it and waits for it. */
export function startWorker(moduleUrl: string, name: string, options: Omit<WorkerOptions, 'name' | 'execArgv'> = {}): Worker {
  // Drop the test runner's flags: they would make the compiled worker import the packages' sources.
  const flags = isSource(moduleUrl) ? { execArgv: [] } : {}
  return new Worker(workerFile(moduleUrl, name), { ...options, ...flags, name })
}
