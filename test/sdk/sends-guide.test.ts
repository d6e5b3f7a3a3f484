import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDevNode } from '@quoin/cli/dev'
import { SEND_DEFAULTS } from '@quoin/sdk'
import { createWalletClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { expect, it } from 'vitest'
import { Bundle, temporaryDirectory } from '../../packages/sdk/test/child.ts'
import { readContract } from '../contracts/contract.mjs'
import { account } from '../e2e/harness.ts'

const page = readFileSync(new URL('../../docs/sdk/sends.md', import.meta.url), 'utf8')

it('the code of the guide runs, in its order', async () => {
  const node = await startDevNode({ port: 0, complain: () => undefined })
  const directory = await temporaryDirectory()
  const token = readContract('token')
  const wallet = createWalletClient({ account: account(0), chain: foundry, transport: http(node.url) })
  // The first contract of the first account has the address that the page names.
  await wallet.deployContract({ ...token, args: ['Token', 'TKN', account(0).address, 10n ** 24n] })
  const code = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block).join('\n')
  const program = code.replace('http://127.0.0.1:8545', node.url).replace("'./sends'", JSON.stringify(join(directory, 'sends')))
  expect(program).not.toBe(code)
  const bundle = await Bundle.of(program, fileURLToPath(new URL('.', import.meta.url)))
  try {
    const child = bundle.start([])
    expect(await child.ended()).toBe(0)
    expect(child.errors).toBe('')
    expect(child.lines).toEqual([
      ...['queued', 'signed', 'sent', 'included', 'block 2', 'true'],
      'reverted ERC20InsufficientBalance reverted',
      'false',
    ])
  } finally {
    await Promise.all([bundle.remove(), node.close(), rm(directory, { recursive: true })])
  }
})

it('the guide names the defaults', () => {
  for (const [name, value] of Object.entries(SEND_DEFAULTS)) {
    expect(page).toContain(`| \`${name}\` | ${value.toLocaleString('en')} |`)
  }
})
