import { expect, it } from 'vitest'
import { counter } from './counter.ts'
import { checkTypes, codeOf, runCode } from './guide.ts'
import { stage } from './stage.ts'

const { nodes, direct, mine, url } = stage()

/** Type-checks and runs the code of a guide as one program. Returns what it printed. */
async function runGuide(name: string, names: Readonly<Record<string, string>>): Promise<string> {
  const code = await codeOf(name, 'ts', names)
  await checkTypes(code, 'mts', ['--lib', 'es2023', '--types', 'node'])
  return runCode(code)
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
