import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { expect } from 'vitest'
import { Program, ROOT, run } from '../e2e/program.ts'

/** The code of a guide in `docs/sdk`, in its order, as one program. `names` are texts to replace, such as those of nodes. */
export async function codeOf(guide: string, language: 'ts' | 'tsx', names: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(ROOT, 'docs', 'sdk', `${guide}.md`), 'utf8')
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .filter(([, name]) => name === language)
    .map(([, , block]) => block!)
  expect(blocks.length).toBeGreaterThan(0)
  const code = blocks.join('\n')
  for (const name of Object.keys(names)) expect(code).toContain(name)
  return Object.entries(names).reduce((result, [from, to]) => result.replaceAll(from, to), code)
}

/** A new folder inside the repository, so that packages are found as in an application. */
async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(ROOT, 'node_modules', '.cache', 'quoin', `guide-${process.pid}-${performance.now()}`)
  await mkdir(folder, { recursive: true })
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Fails if the compiler finds an error, with options that are strict and the published types of our packages. */
export function checkTypes(code: string, extension: 'mts' | 'tsx', options: readonly string[]): Promise<void> {
  return inFolder(async (folder) => {
    await writeFile(join(folder, `guide.${extension}`), code)
    const strict = ['--noEmit', '--strict', '--skipLibCheck', '--exactOptionalPropertyTypes', '--ignoreConfig']
    const target = ['--module', 'nodenext', '--target', 'es2023']
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const args = [tsc, ...strict, ...target, ...options, join(folder, `guide.${extension}`)]
    expect(await run(new Program(process.execPath, args, { cwd: folder }))).toMatchObject({ code: 0, output: '' })
  })
}

/** Runs a program in Node.js. Returns what it printed. */
export function runCode(source: string): Promise<string> {
  return inFolder(async (folder) => {
    const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'es2023' })
    // What the guides say of Node.js 20 comes last there.
    await writeFile(join(folder, 'guide.mjs'), `import * as ws from 'ws'\nglobalThis.WebSocket ??= ws.WebSocket\n${code}`)
    const ran = await run(new Program(process.execPath, [join(folder, 'guide.mjs')]))
    expect(ran.code, ran.output).toBe(0)
    return ran.output
  })
}
