import { type Address, abiEncode, callRaw, concatBytes, contract, decodeHex, staticCallRaw, value } from '@quoin/contracts'

const SELECTORS = { nft: decodeHex('0x150b7a02'), single: decodeHex('0xf23a6e61'), batch: decodeHex('0xbc197c81') }

/** What a receiver does when it gets tokens; the first byte of `mode` selects it. */
const ACCEPT = 0n
const ANSWER_OTHERWISE = 1n
const REFUSE_WITH_ERROR = 2n
const REFUSE_WITHOUT_REASON = 3n
/** Makes a call that was set beforehand, and accepts. */
const CALL = 4n
/** The same as a static call; stores the result. */
const LOOK = 5n

/** Receives tokens of ERC-721 and ERC-1155 in several ways, and stores the last call. */
export default contract({
  abi: [
    'function onERC721Received(address operator, address from, uint256 tokenId, bytes data) returns (bytes4)',
    'function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes data) returns (bytes4)',
    'function onERC1155BatchReceived(address operator, address from, uint256[] ids, uint256[] values, bytes data) returns (bytes4)',
    'function behave(uint256 mode, address to, bytes data)',
    'function last() view returns (address sender, bytes received)',
    'function seen() view returns (bytes)',
    'error Refused(uint256 mode)',
  ],
  state: {
    mode: value('uint256'),
    to: value('address'),
    data: value('bytes'),
    sender: value('address'),
    received: value('bytes'),
    seen: value('bytes'),
  },
  functions: {
    onERC721Received(context, ...told) {
      context.state.received.set(abiEncode('address,address,uint256,bytes', told))
      return answer(context, SELECTORS.nft)
    },
    onERC1155Received(context, ...told) {
      context.state.received.set(abiEncode('address,address,uint256,uint256,bytes', told))
      return answer(context, SELECTORS.single)
    },
    onERC1155BatchReceived(context, ...told) {
      context.state.received.set(abiEncode('address,address,uint256[],uint256[],bytes', told))
      return answer(context, SELECTORS.batch)
    },
    behave({ state }, mode, to, data) {
      state.mode.set(mode)
      state.to.set(to)
      state.data.set(data)
    },
    last: ({ state }) => [state.sender.get(), state.received.get()],
    seen: ({ state }) => state.seen.get(),
  },
})

interface Behaviour {
  readonly state: {
    readonly mode: { get(): bigint }
    readonly to: { get(): Address }
    readonly data: { get(): Uint8Array }
    readonly sender: { set(sender: Address): void }
    readonly seen: { set(seen: Uint8Array): void }
  }
  readonly sender: Address
  readonly revert: { Refused(mode: bigint): never }
}

function answer({ state, sender, revert }: Behaviour, selector: Uint8Array): Uint8Array {
  state.sender.set(sender)
  const mode = state.mode.get()
  if (mode === ACCEPT) return selector
  if (mode === ANSWER_OTHERWISE) return new Uint8Array(4)
  if (mode === REFUSE_WITH_ERROR) throw revert.Refused(mode)
  if (mode === REFUSE_WITHOUT_REASON) throw Object.assign(new Error(), { data: concatBytes([]) })
  if (mode === CALL) callRaw(state.to.get(), state.data.get())
  if (mode === LOOK) state.seen.set(staticCallRaw(state.to.get(), state.data.get()))
  return selector
}
