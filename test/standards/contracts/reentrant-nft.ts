import { contract } from '@quoin/contracts'
import { ERC721_REENTRANT, erc721, initErc721, mint } from '@quoin/contracts/erc721'

/** Tokens whose receivers may move them on at once. */
export default contract({
  uses: [erc721],
  abi: ['constructor(string name, string symbol)', 'function mint(address to, uint256 tokenId)'],
  reentrant: ERC721_REENTRANT,
  constructor: initErc721,
  functions: { mint },
})
