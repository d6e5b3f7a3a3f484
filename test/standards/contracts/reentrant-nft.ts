import { contract } from '@quoin/contracts'
import { ERC721_REENTRANT, erc721, initErc721, mint } from '@quoin/contracts/erc721'

/** Tokens whose receivers may transfer them on during the receiver hook. */
export default contract({
  uses: [erc721],
  abi: ['constructor(string name, string symbol)', 'function mint(address to, uint256 tokenId)'],
  reentrant: ERC721_REENTRANT,
  constructor: initErc721,
  functions: { mint },
})
