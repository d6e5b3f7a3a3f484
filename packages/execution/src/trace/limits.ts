/** Limits of traces. None of them affects a block. */
export const TRACE_LIMITS = {
  /** Call frames of one request. */
  framesMax: 20_000,
  /** Memory of what one request records: data of frames, logs and accounts, and `ITEM_BYTES` for each of them. */
  bytesMax: 12 * 1024 * 1024,
} as const

/** Memory of a recorded item without its data. */
export const ITEM_BYTES = 256
