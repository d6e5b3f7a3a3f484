import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ENTRY = fileURLToPath(new URL('./processes/main.ts', import.meta.url))
/** Inside the root's node_modules, so that the bundle finds the packages that it imports. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/quoin', import.meta.url))

/** Bundles the suite's processes into one JavaScript file, because Node.js 20 cannot run TypeScript. Imports of packages stay imports. */
export async function bundleProcesses(): Promise<string> {
  const outfile = join(FOLDER, `pressure-${process.pid}.mjs`)
  await build({
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
  })
  return outfile
}
