import { crc32 } from 'node:zlib'
import { type Hash, type Hex, hexToBytes } from '@quoin/protocol'

/**
 * The identity of a chain among forks (EIP-6122, EIP-2124): the checksum of its genesis hash. This chain has no fork times, which would be added.
 */
export const forkId = (genesis: Hash): Hex => `0x${crc32(hexToBytes(genesis)).toString(16).padStart(8, '0')}`
