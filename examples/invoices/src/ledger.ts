import { type Address, hexToString, parseAbi, stringToHex } from 'viem'
import {
  INVOICES_EVENTS,
  INVOICES_FUNCTIONS,
  ORDERS_EVENTS,
  ORDERS_FUNCTIONS,
  ORGANISATIONS_EVENTS,
  ORGANISATIONS_FUNCTIONS,
  TOKEN_ERRORS,
  TOKEN_FUNCTIONS,
} from '../contracts/shared/abi.ts'

/** The token's interface, as far as the ledger's users need it. */
export const tokenAbi = parseAbi([
  'constructor(string name, string symbol, address owner)',
  'function balanceOf(address account) view returns (uint256)',
  'function allowance(address owner, address spender) view returns (uint256)',
  'function approve(address spender, uint256 value) returns (bool)',
  'function transfer(address to, uint256 value) returns (bool)',
  'function mint(address to, uint256 value)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
])

/** The ledger's interface, with errors of the token that it passes on. */
export const ledgerAbi = parseAbi([
  'constructor(address token, address owner)',
  'error OwnableUnauthorizedAccount(address account)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  ...ORGANISATIONS_FUNCTIONS,
  ...ORGANISATIONS_EVENTS,
  ...TOKEN_FUNCTIONS,
  ...TOKEN_ERRORS,
  ...INVOICES_FUNCTIONS,
  ...INVOICES_EVENTS,
  ...ORDERS_FUNCTIONS,
  ...ORDERS_EVENTS,
])

/** A deployed ledger. */
export interface Ledger {
  readonly address: Address
  readonly token: Address
}

/** Orders and invoices are named by a text of at most 32 bytes. On the chain it is a bytes32. */
export const nameToBytes = (name: string) => stringToHex(name, { size: 32 })
export const bytesToName = (bytes: `0x${string}`): string => hexToString(bytes, { size: 32 })
