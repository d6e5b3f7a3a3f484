import { encodeHex } from '../kit/index.ts'

/** An interface's id: 0x and eight lower-case hex digits, the xor of its functions' selectors. */
export type InterfaceId = `0x${string}`

const ERC165_ID = '0x01ffc9a7'

/**
 * `supportsInterface` (ERC-165) for some interfaces and ERC-165 itself. A contract of two parts that have this function writes it anew:
 *
 *     functions: { supportsInterface: supportsInterfaces(ERC721_INTERFACES, ACCESS_CONTROL_INTERFACES) }
 */
export function supportsInterfaces(...lists: readonly (readonly InterfaceId[])[]): (context: unknown, id: Uint8Array) => boolean {
  const ids: readonly string[] = [ERC165_ID, ...lists.flat()]
  return (_context, id) => ids.includes(encodeHex(id))
}
