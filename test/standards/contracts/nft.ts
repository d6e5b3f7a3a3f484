import { contract } from '@quoin/contracts'
import { ACCESS_CONTROL_INTERFACES, accessControl, DEFAULT_ADMIN_ROLE, grantRole } from '@quoin/contracts/access-control'
import { supportsInterfaces } from '@quoin/contracts/erc165'
import { burn, ERC721_INTERFACES, erc721, initErc721, mint, safeMint } from '@quoin/contracts/erc721'

/** Tokens that anyone may mint and burn; two parts with ERC-165. */
export default contract({
  uses: [erc721, accessControl],
  abi: [
    'constructor(string name, string symbol, string baseURI)',
    'function mint(address to, uint256 tokenId)',
    'function safeMint(address to, uint256 tokenId, bytes data)',
    'function burn(uint256 tokenId)',
  ],
  constructor(context, name, symbol, baseURI) {
    initErc721(context, name, symbol, baseURI)
    grantRole(context, DEFAULT_ADMIN_ROLE, context.sender)
  },
  functions: { supportsInterface: supportsInterfaces(ERC721_INTERFACES, ACCESS_CONTROL_INTERFACES), mint, safeMint, burn },
})
