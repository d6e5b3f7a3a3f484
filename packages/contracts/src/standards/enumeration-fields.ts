import { mapping, set } from '../kit/index.ts'

/**
 * Sets of all tokens and of each owner's tokens. ERC-721's `update` maintains them if a contract has these fields, so that no transfer can bypass them.
 */
export const enumerationFields = { tokens: set('uint256'), ownedTokens: mapping('address', set('uint256')) }

export type EnumerationFields = typeof enumerationFields
