import { encodeHex } from '../kit/index.ts'

/** An ERC-165 interface id: 0x and eight lower-case hex digits. It is the XOR of the interface's function selectors. */
export type InterfaceId = `0x${string}`

const ERC165_ID = '0x01ffc9a7'

/**
 * Makes `supportsInterface` (ERC-165) for some interfaces and ERC-165 itself. A contract with two parts that have this function must override it:
 *
 *     functions: { supportsInterface: supportsInterfaces(ERC721_INTERFACES, ACCESS_CONTROL_INTERFACES) }
 */
export function supportsInterfaces(...lists: readonly (readonly InterfaceId[])[]): (context: unknown, id: Uint8Array) => boolean {
  const ids: readonly string[] = [ERC165_ID, ...lists.flat()]
  return (_context, id) => ids.includes(encodeHex(id))
}
