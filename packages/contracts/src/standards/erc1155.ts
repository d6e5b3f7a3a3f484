import { type Address, type ContextOf, mapping, part, value, ZERO_ADDRESS } from '../kit/index.ts'
import { isAccepted } from './acceptance.ts'
import { supportsInterfaces } from './erc165.ts'
import { sumOf } from './integers.ts'

/** ERC-165 ids of ERC-1155 and its metadata extension. */
export const ERC1155_INTERFACES = ['0xd9b67a26', '0x0e89341c'] as const

/**
 * For the contract's `reentrant`, if receivers must be able to send tokens on from their callback. The part writes all state before it calls a
 * receiver. Check that the contract's own functions do that too.
 */
export const ERC1155_REENTRANT = ['setApprovalForAll', 'safeTransferFrom', 'safeBatchTransferFrom'] as const

const ledger = part({
  abi: [
    'event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)',
    'event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
    'event ApprovalForAll(address indexed account, address indexed operator, bool approved)',
    'event URI(string value, uint256 indexed id)',
    'error ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)',
    'error ERC1155InvalidSender(address sender)',
    'error ERC1155InvalidReceiver(address receiver)',
    'error ERC1155MissingApprovalForAll(address operator, address owner)',
    'error ERC1155InvalidOperator(address operator)',
    'error ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)',
  ],
  state: {
    uri: value('string'),
    balances: mapping('uint256', mapping('address', 'uint256')),
    operatorApprovals: mapping('address', mapping('address', 'bool')),
  },
})

type Context = ContextOf<typeof ledger>
type Numbers = readonly bigint[]

/** For the constructor. Sets the metadata URI of all tokens; clients replace `{id}` in it with the token id. */
export const initErc1155 = ({ state }: Context, uri: string): void => state.uri.set(uri)

/**
 * Moves tokens without any check of the caller or receiver. With the zero address as `from` it mints, as `to` it burns.
 *
 * @throws RangeError when a balance would exceed uint256
 */
export function update(
  { state, sender, emit, revert }: Context,
  from: Address,
  to: Address,
  ids: Numbers,
  amounts: Numbers,
): void {
  if (ids.length !== amounts.length) throw revert.ERC1155InvalidArrayLength(BigInt(ids.length), BigInt(amounts.length))
  ids.forEach((id, i) => {
    const amount = amounts[i]!
    const balances = state.balances.at(id)
    if (from !== ZERO_ADDRESS) {
      const balance = balances.get(from)
      if (balance < amount) throw revert.ERC1155InsufficientBalance(from, balance, amount, id)
      balances.set(from, balance - amount)
    }
    if (to !== ZERO_ADDRESS) balances.set(to, sumOf(balances.get(to), amount, 'a balance'))
  })
  if (ids.length === 1) emit.TransferSingle(sender, from, to, ids[0]!, amounts[0]!)
  else emit.TransferBatch(sender, from, to, ids, amounts)
}

/** Like `update`, but a receiver that is a contract must accept the tokens. `id` instead of a list of ids: the transfer is not a batch. */
function updateSafely(
  context: Context,
  from: Address,
  to: Address,
  id: bigint | Numbers,
  amount: bigint | Numbers,
  data: Uint8Array,
): void {
  const { sender, revert } = context
  if (to === ZERO_ADDRESS) throw revert.ERC1155InvalidReceiver(to)
  update(context, from, to, listOf(id), listOf(amount))
  const [callback, selector] = typeof id === 'bigint' ? [CALLBACK, '0xf23a6e61'] : [BATCH_CALLBACK, '0xbc197c81']
  if (!isAccepted(to, callback!, selector!, [sender, from, id, amount, data])) throw revert.ERC1155InvalidReceiver(to)
}

const listOf = (value: bigint | Numbers): Numbers => (typeof value === 'bigint' ? [value] : value)

const CALLBACK = 'onERC1155Received(address,address,uint256,uint256,bytes)(bytes4)'
const BATCH_CALLBACK = 'onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)(bytes4)'

/** Moves tokens of several ids without checking the caller. A receiver that is a contract must accept them. */
export function safeBatchTransfer(
  context: Context,
  from: Address,
  to: Address,
  ids: Numbers,
  amounts: Numbers,
  data: Uint8Array = new Uint8Array(),
): void {
  move(context, from, to, ids, amounts, data)
}

function move(
  context: Context,
  from: Address,
  to: Address,
  id: bigint | Numbers,
  amount: bigint | Numbers,
  data: Uint8Array,
): void {
  if (from === ZERO_ADDRESS) throw context.revert.ERC1155InvalidSender(from)
  updateSafely(context, from, to, id, amount, data)
}

/** Mints tokens of several ids without checking the caller. A receiver that is a contract must accept them. */
export function mintBatch(
  context: Context,
  to: Address,
  ids: Numbers,
  amounts: Numbers,
  data: Uint8Array = new Uint8Array(),
): void {
  updateSafely(context, ZERO_ADDRESS, to, ids, amounts, data)
}

/** Mints tokens of one id without checking the caller. A receiver that is a contract must accept them. */
export function mint(context: Context, to: Address, id: bigint, amount: bigint, data: Uint8Array = new Uint8Array()): void {
  updateSafely(context, ZERO_ADDRESS, to, id, amount, data)
}

/** Burns tokens of several ids without checking the caller. */
export function burnBatch(context: Context, from: Address, ids: Numbers, amounts: Numbers): void {
  if (from === ZERO_ADDRESS) throw context.revert.ERC1155InvalidSender(from)
  update(context, from, ZERO_ADDRESS, ids, amounts)
}

/** Burns tokens of one id without checking the caller. */
export const burn = (context: Context, from: Address, id: bigint, amount: bigint): void =>
  burnBatch(context, from, [id], [amount])

function transferFrom(
  context: Context,
  from: Address,
  to: Address,
  id: bigint | Numbers,
  amount: bigint | Numbers,
  data: Uint8Array,
): void {
  const { state, sender, revert } = context
  if (sender !== from && !state.operatorApprovals.at(from).get(sender)) throw revert.ERC1155MissingApprovalForAll(sender, from)
  move(context, from, to, id, amount, data)
}

/** Multi-token (ERC-1155) with its metadata URI, and the errors of ERC-6093. */
export const erc1155 = part({
  uses: [ledger],
  abi: [
    'function uri(uint256 id) view returns (string)',
    'function balanceOf(address account, uint256 id) view returns (uint256)',
    'function balanceOfBatch(address[] accounts, uint256[] ids) view returns (uint256[])',
    'function isApprovedForAll(address account, address operator) view returns (bool)',
    'function supportsInterface(bytes4 interfaceId) view returns (bool)',
    'function setApprovalForAll(address operator, bool approved)',
    'function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes data)',
    'function safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] values, bytes data)',
  ],
  functions: {
    uri: ({ state }) => state.uri.get(),
    balanceOf: ({ state }, account, id) => state.balances.at(id).get(account),
    balanceOfBatch({ state, revert }, accounts, ids) {
      if (ids.length !== accounts.length) throw revert.ERC1155InvalidArrayLength(BigInt(ids.length), BigInt(accounts.length))
      return ids.map((id, i) => state.balances.at(id).get(accounts[i]!))
    },
    isApprovedForAll: ({ state }, account, operator) => state.operatorApprovals.at(account).get(operator),
    supportsInterface: supportsInterfaces(ERC1155_INTERFACES),
    setApprovalForAll({ state, sender, emit, revert }, operator, approved) {
      if (operator === ZERO_ADDRESS) throw revert.ERC1155InvalidOperator(operator)
      state.operatorApprovals.at(sender).set(operator, approved)
      emit.ApprovalForAll(sender, operator, approved)
    },
    safeTransferFrom: transferFrom,
    safeBatchTransferFrom: transferFrom,
  },
})
