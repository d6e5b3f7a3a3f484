/** CRC-32C (Castagnoli) of bytes, as an unsigned 32-bit integer. A power: the node passes a native one, the simulator a table's. */
export type Crc32c = (bytes: Uint8Array) => number
