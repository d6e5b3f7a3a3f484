import { part, ZERO_ADDRESS } from '../kit/index.ts'
import { enumerationFields } from './enumeration-fields.ts'
import { supportsInterfaces } from './erc165.ts'
import { ERC721_INTERFACES, erc721 } from './erc721.ts'

/** ERC-165 ids of ERC-721 and its metadata and enumeration extensions. */
export const ERC721_ENUMERABLE_INTERFACES = [...ERC721_INTERFACES, '0x780e9d63'] as const

/** ERC-721 with enumeration of all tokens and of an owner's tokens. The order changes when tokens move. */
export const erc721Enumerable = part({
  uses: [erc721],
  abi: [
    'function totalSupply() view returns (uint256)',
    'function tokenByIndex(uint256 index) view returns (uint256)',
    'function tokenOfOwnerByIndex(address owner, uint256 index) view returns (uint256)',
    'error ERC721OutOfBoundsIndex(address owner, uint256 index)',
  ],
  state: enumerationFields,
  functions: {
    supportsInterface: supportsInterfaces(ERC721_ENUMERABLE_INTERFACES),
    totalSupply: ({ state }) => state.tokens.size,
    tokenByIndex({ state, revert }, index) {
      if (index >= state.tokens.size) throw revert.ERC721OutOfBoundsIndex(ZERO_ADDRESS, index)
      return state.tokens.at(index)
    },
    tokenOfOwnerByIndex({ state, revert }, owner, index) {
      const tokens = state.ownedTokens.at(owner)
      if (index >= tokens.size) throw revert.ERC721OutOfBoundsIndex(owner, index)
      return tokens.at(index)
    },
  },
})
