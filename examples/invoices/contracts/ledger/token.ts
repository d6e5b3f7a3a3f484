import { type Address, type ContextOf, part, remote, value } from '@quoin/contracts'
import { TOKEN_ERRORS, TOKEN_FUNCTIONS } from '../shared/abi.ts'

const erc20 = remote([
  'function transfer(address to, uint256 value) returns (bool)',
  'function transferFrom(address from, address to, uint256 value) returns (bool)',
])

const till = part({ abi: TOKEN_ERRORS, state: { token: value('address') } })

type Context = ContextOf<typeof till>

/** Takes tokens of the caller, who has approved the ledger as a spender. */
export function collect({ state, sender, revert }: Context, to: Address, amount: bigint): void {
  if (!erc20.transferFrom(state.token.get(), sender, to, amount)) throw revert.TokenRefused()
}

/** Pays out of the ledger's own tokens. */
export function payOut({ state, revert }: Context, to: Address, amount: bigint): void {
  if (!erc20.transfer(state.token.get(), to, amount)) throw revert.TokenRefused()
}

/** The token (ERC-20) in which everything is paid. It is fixed at deployment, and trusted: it moves what it says that it moves. */
export const paymentToken = part({ uses: [till], abi: TOKEN_FUNCTIONS, functions: { token: ({ state }) => state.token.get() } })
