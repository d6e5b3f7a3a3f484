/** Names of the kinds of call frames: the EVM opcodes that would make them. */
export const FRAME_TYPES = { call: 'CALL', 'static-call': 'STATICCALL', create: 'CREATE', create2: 'CREATE2' } as const
