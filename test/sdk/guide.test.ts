import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { expect, it } from 'vitest'
import { Program, ROOT, run } from '../e2e/program.ts'
import { stage } from './stage.ts'

const { nodes, direct, mine } = stage()

it('the code of the guide compiles, and runs as one program', async () => {
  const [a, b, c] = await nodes(3)
  const height = await mine()
  const { hash } = await direct().getBlock({ blockNumber: 0n })
  const guide = await readFile(join(ROOT, 'docs', 'sdk', 'cluster.md'), 'utf8')
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block!)
  expect(blocks.length).toBeGreaterThan(4)
  const source = blocks
    .join('\n')
    .replaceAll('https://a.example', a!.url)
    .replaceAll('https://b.example', b!.url)
    .replaceAll('wss://c.example', c!.socketUrl)
    .replaceAll('0x…', hash)
  // Inside the repository, so that packages are found as in an application.
  const folder = join(ROOT, 'node_modules', '.cache', 'quoin', `guide-${process.pid}`)
  await mkdir(folder, { recursive: true })
  try {
    await writeFile(join(folder, 'guide.mts'), source)
    const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'es2023' })
    // What the guide says of Node.js 20 comes last there.
    await writeFile(join(folder, 'guide.mjs'), `import * as ws from 'ws'\nglobalThis.WebSocket ??= ws.WebSocket\n${code}`)
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--exactOptionalPropertyTypes', '--ignoreConfig']
    const target = ['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', 'node']
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const args = [tsc, ...options, ...target, join(folder, 'guide.mts')]
    expect(await run(new Program(process.execPath, args, { cwd: folder }))).toMatchObject({ code: 0, output: '' })
    const ran = await run(new Program(process.execPath, [join(folder, 'guide.mjs')]))
    expect(ran.output).toContain(`height ${height}n`)
    expect(ran.output).toContain('chain 31337')
    expect(ran.output).toContain(`node ${a!.url} closed`)
    expect(ran.output).toContain('refused ')
    expect(ran.output).toContain(`block ${height}n`)
    expect(ran.code).toBe(0)
  } finally {
    await rm(folder, { recursive: true })
  }
})
