import { bytesToNumber } from '@quoin/protocol'

/** State key and height of what `historyKey` made: the inverse, which shows that nothing is lost. */
export function parseHistoryKey(key: Uint8Array): { readonly stateKey: Uint8Array; readonly height: number } {
  const escaped = [...key.subarray(1, -10)]
  return {
    stateKey: Uint8Array.from(escaped.filter((_, i) => escaped[i - 1] !== 0 || escaped[i] !== 0xff)),
    height: bytesToNumber(key.subarray(-8))!,
  }
}
