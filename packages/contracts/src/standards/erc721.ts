import { type Address, type ContextOf, mapping, part, value, ZERO_ADDRESS } from '../kit/index.ts'
import type { State } from '../kit/state/field.ts'
import { isAccepted } from './acceptance.ts'
import type { EnumerationFields } from './enumeration-fields.ts'
import { supportsInterfaces } from './erc165.ts'

/** ERC-165 ids of ERC-721 and its metadata extension. */
export const ERC721_INTERFACES = ['0x80ac58cd', '0x5b5e139f'] as const

/**
 * For the contract's `reentrant`, if receivers must be able to send a token on from their callback. The part writes all state before it calls a
 * receiver. Check that the contract's own functions do that too.
 */
export const ERC721_REENTRANT = [
  'approve',
  'setApprovalForAll',
  'transferFrom',
  'safeTransferFrom(address,address,uint256)',
  'safeTransferFrom(address,address,uint256,bytes)',
] as const

const ledger = part({
  abi: [
    'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
    'event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)',
    'event ApprovalForAll(address indexed owner, address indexed operator, bool approved)',
    'error ERC721InvalidOwner(address owner)',
    'error ERC721NonexistentToken(uint256 tokenId)',
    'error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)',
    'error ERC721InvalidSender(address sender)',
    'error ERC721InvalidReceiver(address receiver)',
    'error ERC721InsufficientApproval(address operator, uint256 tokenId)',
    'error ERC721InvalidApprover(address approver)',
    'error ERC721InvalidOperator(address operator)',
  ],
  state: {
    name: value('string'),
    symbol: value('string'),
    baseURI: value('string'),
    owners: mapping('uint256', 'address'),
    balances: mapping('address', 'uint256'),
    tokenApprovals: mapping('uint256', 'address'),
    operatorApprovals: mapping('address', mapping('address', 'bool')),
  },
})

type Context = ContextOf<typeof ledger>
type ReadContext = ContextOf<typeof ledger, 'view'>

/** For the constructor. Sets name and symbol, and the prefix of the token id in `tokenURI`. */
export function initErc721({ state }: Context, name: string, symbol: string, baseURI = ''): void {
  state.name.set(name)
  state.symbol.set(symbol)
  state.baseURI.set(baseURI)
}

/** The owner of a token. Throws ERC721NonexistentToken if the token does not exist. */
export function ownerOf({ state, revert }: ReadContext, tokenId: bigint): Address {
  const owner = state.owners.get(tokenId)
  if (owner === ZERO_ADDRESS) throw revert.ERC721NonexistentToken(tokenId)
  return owner
}

/** Whether an account may move a token of this owner: it is the owner, an operator of the owner, or approved for the token. */
export const isAuthorized = ({ state }: ReadContext, owner: Address, spender: Address, tokenId: bigint): boolean =>
  spender === owner || state.operatorApprovals.at(owner).get(spender) || state.tokenApprovals.get(tokenId) === spender

/** Moves a token from its current owner and clears its approval. With the zero address as `from` it mints, as `to` it burns. */
function update({ state, emit }: Context, from: Address, to: Address, tokenId: bigint): void {
  const { tokens, ownedTokens } = state as Partial<State<EnumerationFields>>
  if (from === ZERO_ADDRESS) tokens?.add(tokenId)
  else {
    state.tokenApprovals.remove(tokenId)
    state.balances.set(from, state.balances.get(from) - 1n)
    ownedTokens?.at(from).remove(tokenId)
  }
  if (to === ZERO_ADDRESS) tokens?.remove(tokenId)
  else {
    state.balances.set(to, state.balances.get(to) + 1n)
    ownedTokens?.at(to).add(tokenId)
  }
  state.owners.set(tokenId, to)
  emit.Transfer(from, to, tokenId)
}

/** Moves a token, which `from` must own. Does not check the caller. */
export function transfer(context: Context, from: Address, to: Address, tokenId: bigint): void {
  move(context, from, to, tokenId, ownerOf(context, tokenId))
}

function move(context: Context, from: Address, to: Address, tokenId: bigint, owner: Address): void {
  if (owner !== from) throw context.revert.ERC721IncorrectOwner(from, tokenId, owner)
  if (to === ZERO_ADDRESS) throw context.revert.ERC721InvalidReceiver(to)
  update(context, from, to, tokenId)
}

/** Moves a token without checking the caller. A receiver that is a contract must accept it. */
export function safeTransfer(
  context: Context,
  from: Address,
  to: Address,
  tokenId: bigint,
  data: Uint8Array = new Uint8Array(),
): void {
  transfer(context, from, to, tokenId)
  requireAcceptance(context, from, to, tokenId, data)
}

/** Mints a token without checking the caller. */
export function mint(context: Context, to: Address, tokenId: bigint): void {
  const { state, revert } = context
  if (to === ZERO_ADDRESS) throw revert.ERC721InvalidReceiver(to)
  if (state.owners.get(tokenId) !== ZERO_ADDRESS) throw revert.ERC721InvalidSender(ZERO_ADDRESS)
  update(context, ZERO_ADDRESS, to, tokenId)
}

/** Mints a token without checking the caller. A receiver that is a contract must accept it. */
export function safeMint(context: Context, to: Address, tokenId: bigint, data: Uint8Array = new Uint8Array()): void {
  mint(context, to, tokenId)
  requireAcceptance(context, ZERO_ADDRESS, to, tokenId, data)
}

/** Burns a token without checking the caller. */
export function burn(context: Context, tokenId: bigint): void {
  update(context, ownerOf(context, tokenId), ZERO_ADDRESS, tokenId)
}

function requireAcceptance({ sender, revert }: Context, from: Address, to: Address, tokenId: bigint, data: Uint8Array): void {
  const callback = 'onERC721Received(address,address,uint256,bytes)(bytes4)'
  if (!isAccepted(to, callback, '0x150b7a02', [sender, from, tokenId, data])) throw revert.ERC721InvalidReceiver(to)
}

function transferFrom(context: Context, from: Address, to: Address, tokenId: bigint): void {
  const { sender, revert } = context
  if (to === ZERO_ADDRESS) throw revert.ERC721InvalidReceiver(to)
  const owner = ownerOf(context, tokenId)
  if (!isAuthorized(context, owner, sender, tokenId)) throw revert.ERC721InsufficientApproval(sender, tokenId)
  move(context, from, to, tokenId, owner)
}

function safeTransferFrom(
  context: Context,
  from: Address,
  to: Address,
  tokenId: bigint,
  data: Uint8Array = new Uint8Array(),
): void {
  transferFrom(context, from, to, tokenId)
  requireAcceptance(context, from, to, tokenId, data)
}

/** Non-fungible tokens (ERC-721) with their metadata, and the errors of ERC-6093. */
export const erc721 = part({
  uses: [ledger],
  abi: [
    'function name() view returns (string)',
    'function symbol() view returns (string)',
    'function tokenURI(uint256 tokenId) view returns (string)',
    'function balanceOf(address owner) view returns (uint256)',
    'function ownerOf(uint256 tokenId) view returns (address)',
    'function getApproved(uint256 tokenId) view returns (address)',
    'function isApprovedForAll(address owner, address operator) view returns (bool)',
    'function supportsInterface(bytes4 interfaceId) view returns (bool)',
    'function approve(address to, uint256 tokenId)',
    'function setApprovalForAll(address operator, bool approved)',
    'function transferFrom(address from, address to, uint256 tokenId)',
    'function safeTransferFrom(address from, address to, uint256 tokenId)',
    'function safeTransferFrom(address from, address to, uint256 tokenId, bytes data)',
  ],
  functions: {
    name: ({ state }) => state.name.get(),
    symbol: ({ state }) => state.symbol.get(),
    tokenURI(context, tokenId) {
      ownerOf(context, tokenId)
      const base = context.state.baseURI.get()
      return base === '' ? '' : `${base}${tokenId}`
    },
    balanceOf({ state, revert }, owner) {
      if (owner === ZERO_ADDRESS) throw revert.ERC721InvalidOwner(owner)
      return state.balances.get(owner)
    },
    ownerOf,
    getApproved(context, tokenId) {
      ownerOf(context, tokenId)
      return context.state.tokenApprovals.get(tokenId)
    },
    isApprovedForAll: ({ state }, owner, operator) => state.operatorApprovals.at(owner).get(operator),
    supportsInterface: supportsInterfaces(ERC721_INTERFACES),
    approve(context, to, tokenId) {
      const { state, sender, emit, revert } = context
      const owner = ownerOf(context, tokenId)
      if (sender !== owner && !state.operatorApprovals.at(owner).get(sender)) throw revert.ERC721InvalidApprover(sender)
      state.tokenApprovals.set(tokenId, to)
      emit.Approval(owner, to, tokenId)
    },
    setApprovalForAll({ state, sender, emit, revert }, operator, approved) {
      if (operator === ZERO_ADDRESS) throw revert.ERC721InvalidOperator(operator)
      state.operatorApprovals.at(sender).set(operator, approved)
      emit.ApprovalForAll(sender, operator, approved)
    },
    transferFrom,
    'safeTransferFrom(address,address,uint256)': (context, from, to, tokenId) => safeTransferFrom(context, from, to, tokenId),
    'safeTransferFrom(address,address,uint256,bytes)': safeTransferFrom,
  },
})
