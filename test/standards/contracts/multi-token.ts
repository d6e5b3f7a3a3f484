import { contract } from '@quoin/contracts'
import { burn, burnBatch, ERC1155_REENTRANT, erc1155, initErc1155, mint, mintBatch } from '@quoin/contracts/erc1155'

/** Tokens that anyone may mint and burn. Receivers may transfer them on during the receiver hook. */
export default contract({
  uses: [erc1155],
  abi: [
    'constructor(string uri)',
    'function mint(address to, uint256 id, uint256 value, bytes data)',
    'function mintBatch(address to, uint256[] ids, uint256[] values, bytes data)',
    'function burn(address from, uint256 id, uint256 value)',
    'function burnBatch(address from, uint256[] ids, uint256[] values)',
  ],
  reentrant: ERC1155_REENTRANT,
  constructor: initErc1155,
  functions: { mint, mintBatch, burn, burnBatch },
})
