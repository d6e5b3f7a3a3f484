import { expect, it } from 'vitest'
import { REFUSAL_REASONS as NODE_REASONS } from '../packages/node/src/rpc/refusal-reasons.ts'
import { REFUSAL_REASONS } from '../packages/sdk/src/index.ts'

it("the SDK knows exactly the node's reasons, and whose refusals they are", () => {
  const scopes = Object.entries(NODE_REASONS).map(([reason, { scope }]) => [reason, scope])
  expect(REFUSAL_REASONS).toEqual(Object.fromEntries(scopes))
})
