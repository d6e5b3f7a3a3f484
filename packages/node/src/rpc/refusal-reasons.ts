import { RPC_CODE, SIMULATION_CODE } from './error-codes.ts'

/**
 * `node`: another node may answer otherwise now. `chain`: every node answers the same, so asking another one is of no use.
 */
export type Scope = 'node' | 'chain'

export interface Reason {
  readonly code: number
  readonly scope: Scope
  /** For people; docs/json-rpc.md has the same words. */
  readonly meaning: string
  /** The code in `eth_call` and what is like it, if it is another one: go-ethereum's. */
  readonly inCalls?: number
  /** The code in `eth_simulateV1`, if it is another one: that of execution-apis. */
  readonly inSimulations?: number
}

const node = (code: number, meaning: string, elsewhere: Pick<Reason, 'inCalls' | 'inSimulations'> = {}): Reason => ({
  ...{ code, scope: 'node', meaning },
  ...elsewhere,
})
const chain = (code: number, meaning: string, elsewhere: Pick<Reason, 'inCalls' | 'inSimulations'> = {}): Reason => ({
  ...{ code, scope: 'chain', meaning },
  ...elsewhere,
})

const { server, unavailable, limitExceeded, invalidParams, invalidRequest, transactionRejected: rejected } = RPC_CODE

/** Why the RPC refuses. The list is closed: clients decide by these words, and docs/json-rpc.md has them all. */
const LIST = {
  // The text of a request, and the client.
  'parse-error': chain(RPC_CODE.parseError, 'the text is not JSON'),
  'invalid-request': chain(invalidRequest, 'the JSON, or the HTTP request, is no JSON-RPC request'),
  'method-not-found': chain(RPC_CODE.methodNotFound, 'there is no such method, or not over HTTP'),
  'not-supported': chain(server, 'the method cannot do this'),
  'invalid-params': chain(invalidParams, 'a parameter, or `minHeight`, is missing or invalid'),
  'request-too-large': chain(limitExceeded, 'the request or batch exceeds a limit of size, number or depth'),
  'answer-too-large': chain(limitExceeded, 'the answer exceeds a limit: ask for less'),
  forbidden: node(invalidRequest, 'the name of the host, or the origin of the page, is not allowed at this node'),
  'invalid-token': node(
    RPC_CODE.unauthorized,
    'the token of the request is not valid at this node, or no longer. `problem` says why',
  ),
  'reading-not-permitted': chain(
    RPC_CODE.unauthorized,
    'only members read on this chain. `account` is whom the token names, `lacking` what is missing: `token`, `entry`, `standing` or `role`',
  ),
  'method-not-permitted': node(
    RPC_CODE.unauthorized,
    'a rule of this node does not let the caller use the method. `rule` is its text; `account` and `lacking` as above',
  ),
  'no-key': node(RPC_CODE.unauthorized, '`quoin dev` has no key for the account'),

  // What the node can do now.
  behind: node(unavailable, 'the head has not reached `minHeight`. `height` is the head, `minHeight` what was asked for'),
  stopped: node(unavailable, 'the node has stopped and takes no transactions'),
  quarantined: node(unavailable, 'the contract interpreter of this node failed on the transaction'),
  'pool-full': node(limitExceeded, 'the pool is full'),
  'sender-queue-full': node(limitExceeded, 'too many transactions of the sender wait in this pool for a missing nonce'),
  'rate-limited': node(limitExceeded, 'the address has used up its units. `retryAfterMs` says when to try again'),
  'quota-exceeded': node(limitExceeded, 'there are too many filters or subscriptions, of the client or of all clients'),
  overloaded: node(limitExceeded, 'too much work waits'),
  'short-of-memory': node(limitExceeded, 'the node is short of memory, and answers only what wallets need to send'),
  'request-timeout': node(limitExceeded, 'the request was not answered in time, or the server is stopping'),
  timeout: node(server, 'a call, trace or proof took too long', { inSimulations: RPC_CODE.timeout }),
  updating: node(server, 'the state tree is being updated: ask again'),
  cancelled: node(server, 'a call or trace was ended before its result was there'),
  fault: node(server, 'a thread or the contract interpreter of this node failed'),
  stopping: node(server, 'the server is stopping, or the connection is closed'),
  internal: node(RPC_CODE.internal, 'a fault of the node; its log has more'),

  // What the node has.
  'block-not-found': node(RPC_CODE.notFound, 'the node has no such block. `height` is its head'),
  'transaction-not-found': node(server, 'the node has no such transaction in a block. `height` is its head'),
  'range-above-head': node(invalidParams, 'a query ends above the head. `height` is the head'),
  pruned: node(RPC_CODE.prunedHistory, 'the node no longer keeps the state of this block, or makes no proofs of it'),
  'filter-not-found': node(server, 'the node has no such filter, or no longer'),
  'cursor-unknown': chain(
    invalidParams,
    'the cursor of a stream is of another chain, or of blocks that `quoin dev` has discarded',
  ),
  'subscription-not-found': node(invalidParams, 'the connection has no such subscription or stream'),
  'no-coinbase': node(server, 'the node is no validator'),

  // Transactions, and calls that could not be transactions.
  malformed: chain(rejected, 'the transaction cannot be decoded', { inSimulations: invalidParams }),
  oversized: chain(rejected, 'the transaction is too long', { inSimulations: SIMULATION_CODE.tooLarge }),
  'type-not-supported': chain(rejected, 'the chain has no transactions of this type'),
  unprotected: chain(rejected, 'the transaction has no chain id (EIP-155)'),
  'wrong-chain': chain(rejected, 'the transaction is for another chain'),
  'bad-signature': chain(rejected, 'the signature is not valid'),
  'nonce-too-low': chain(rejected, 'the nonce is used', { inSimulations: SIMULATION_CODE.nonceTooLow }),
  'nonce-too-high': chain(rejected, 'the nonce is too far ahead', { inSimulations: SIMULATION_CODE.nonceTooHigh }),
  'insufficient-funds': chain(rejected, 'the balance does not cover value and gas', {
    inCalls: server,
    inSimulations: SIMULATION_CODE.insufficientFunds,
  }),
  'intrinsic-gas-too-low': chain(rejected, 'the gas does not cover what every transaction costs', {
    inCalls: server,
    inSimulations: SIMULATION_CODE.intrinsicGas,
  }),
  'gas-limit-too-high': chain(rejected, 'the gas exceeds what a transaction may have', { inSimulations: invalidParams }),
  'fee-too-low': chain(rejected, 'the fee is below the base fee', { inSimulations: SIMULATION_CODE.feeTooLow }),
  'tip-above-fee': chain(rejected, 'the tip is above the fee', { inSimulations: invalidParams }),
  'not-permitted': chain(rejected, 'the sender may not send this'),
  'already-known': chain(rejected, 'the transaction is in the pool'),
  'underpriced-replacement': chain(rejected, 'a waiting transaction with this nonce cannot be replaced by this one'),
  'not-included': chain(RPC_CODE.notIncluded, 'EIP-7966: the transaction was sent, and is not in a block in time'),

  // What was asked.
  reverted: chain(RPC_CODE.reverted, 'the contract reverted'),
  'out-of-gas': chain(server, 'the call used up its gas, or needs more than it may have'),
  'invalid-override': chain(invalidParams, 'a state or block override is not valid'),
  'too-many-runs': chain(server, 'the call needs more runs than one may have'),
  'range-too-large': chain(
    invalidParams,
    'a log query covers too many blocks, or finds too much. The message names a range that fits',
  ),
  'too-deep': chain(server, 'somebody made keys that share more bits with this one than a proof can span'),
  'not-traceable': chain(server, 'this cannot be traced: genesis, the pending block, an index behind the last transaction'),
  'block-gas-limit': chain(SIMULATION_CODE.blockGasLimit, 'the calls of a simulated block exceed its gas'),
  'block-number-order': chain(SIMULATION_CODE.blockNumberOrder, 'the numbers of simulated blocks do not rise'),
  'block-time-order': chain(SIMULATION_CODE.blockTimeOrder, 'the times of simulated blocks do not rise'),
  'limit-exceeded': chain(
    SIMULATION_CODE.limitExceeded,
    'a simulation has too many blocks, calls or gas, or too large an answer',
  ),
} as const satisfies Record<string, Reason>

export type RefusalReason = keyof typeof LIST

export const REFUSAL_REASONS: Readonly<Record<RefusalReason, Reason>> = LIST
