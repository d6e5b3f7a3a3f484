/**
 * CRC-32C (Castagnoli) of bytes, as an unsigned 32-bit integer. Passed in as a power: the node uses a native implementation, the simulator
 * a table.
 */
export type Crc32c = (bytes: Uint8Array) => number
