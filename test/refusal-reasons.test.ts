import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { REFUSAL_REASONS } from '../packages/sdk/src/index.ts'

const list = new URL('../packages/node/src/rpc/refusal-reasons.ts', import.meta.url)

it.runIf(existsSync(list))("the SDK knows exactly the node's reasons, and whose refusals they are", async () => {
  const node = (await import(/* @vite-ignore */ list.href)) as {
    readonly REFUSAL_REASONS: Readonly<Record<string, { readonly scope: string }>>
  }
  const scopes = Object.entries(node.REFUSAL_REASONS).map(([reason, { scope }]) => [reason, scope])
  expect(REFUSAL_REASONS).toEqual(Object.fromEntries(scopes))
})
