import { mapping, set } from '../kit/index.ts'

/** All tokens, and those of each owner. `update` of ERC-721 keeps these where a contract has them, so that no way of moving a token passes them by. */
export const enumerationFields = { tokens: set('uint256'), ownedTokens: mapping('address', set('uint256')) }

export type EnumerationFields = typeof enumerationFields
