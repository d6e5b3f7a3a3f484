import { type Hex, keccak256 } from 'viem'

/** The hash by which a raw transaction is known. A module of its own, because it takes 3 kB with keccak256 and is seldom needed. */
export const transactionHash = (raw: Hex): Hex => keccak256(raw)
