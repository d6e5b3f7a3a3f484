import { decodeHex, part } from '../kit/index.ts'
import { supportsInterfaces } from './erc165.ts'

/** ERC-165 id of ERC-1155's receiver interface. */
export const ERC1155_HOLDER_INTERFACES = ['0x4e2312e0'] as const

const ERC721_RECEIVED = decodeHex('0x150b7a02')
const ERC1155_RECEIVED = decodeHex('0xf23a6e61')
const ERC1155_BATCH_RECEIVED = decodeHex('0xbc197c81')

/**
 * A contract that accepts all ERC-721 and ERC-1155 tokens. Its callbacks are `pure`, so that re-entrant calls are possible, such as when the contract
 * itself requests the tokens.
 */
export const tokenHolder = part({
  abi: [
    'function onERC721Received(address operator, address from, uint256 tokenId, bytes data) pure returns (bytes4)',
    'function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes data) pure returns (bytes4)',
    'function onERC1155BatchReceived(address operator, address from, uint256[] ids, uint256[] values, bytes data) pure returns (bytes4)',
    'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  ],
  functions: {
    onERC721Received: () => ERC721_RECEIVED,
    onERC1155Received: () => ERC1155_RECEIVED,
    onERC1155BatchReceived: () => ERC1155_BATCH_RECEIVED,
    supportsInterface: supportsInterfaces(ERC1155_HOLDER_INTERFACES),
  },
})
