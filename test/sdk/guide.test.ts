import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { expect, it } from 'vitest'
import { Program, ROOT, run } from '../e2e/program.ts'
import { counter } from './counter.ts'
import { stage } from './stage.ts'

const { nodes, direct, mine, url } = stage()

/** Type-checks and runs the code of a guide as one program. Returns what it printed. */
async function runGuide(name: string, names: Readonly<Record<string, string>>): Promise<string> {
  const guide = await readFile(join(ROOT, 'docs', 'sdk', `${name}.md`), 'utf8')
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block!)
  expect(blocks.length).toBeGreaterThan(4)
  const source = Object.entries(names).reduce((text, [from, to]) => text.replaceAll(from, to), blocks.join('\n'))
  // Inside the repository, so that packages are found as in an application.
  const folder = join(ROOT, 'node_modules', '.cache', 'quoin', `guide-${name}-${process.pid}`)
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
    expect(ran.code, ran.output).toBe(0)
    return ran.output
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('the code of the guide to clusters compiles, and runs as one program', async () => {
  const [a, b, c] = await nodes(3)
  const height = await mine()
  const { hash } = await direct().getBlock({ blockNumber: 0n })
  const output = await runGuide('cluster', {
    'https://a.example': a!.url,
    'https://b.example': b!.url,
    'wss://c.example': c!.socketUrl,
    '0x…': hash,
  })
  expect(output).toContain(`height ${height}n`)
  expect(output).toContain('chain 31337')
  expect(output).toContain(`node ${a!.url} closed`)
  expect(output).toContain('refused ')
  expect(output).toContain(`block ${height}n`)
})

it('the code of the guide to streams compiles, and runs as one program', async () => {
  const [a, b] = await nodes(2)
  const { address, emit } = await counter({ direct, url })
  await emit(3)
  const output = await runGuide('streams', {
    'https://a.example': a!.url,
    'https://b.example': b!.url,
    '0xcontract': address,
  })
  for (const line of [
    'counted 1n in ',
    'counted 3n in ',
    'again 2n',
    'rows 1,2,3',
    'block 1',
    'slow consumer at ',
    'total 3n after true',
    'state 3n after true',
  ])
    expect(output).toContain(line)
})
