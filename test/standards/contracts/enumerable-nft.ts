import { contract } from '@quoin/contracts'
import { burn, initErc721, mint } from '@quoin/contracts/erc721'
import { erc721Enumerable } from '@quoin/contracts/erc721-enumerable'

export default contract({
  uses: [erc721Enumerable],
  abi: [
    'constructor(string name, string symbol)',
    'function mint(address to, uint256 tokenId)',
    'function burn(uint256 tokenId)',
  ],
  constructor: initErc721,
  functions: { mint, burn },
})
