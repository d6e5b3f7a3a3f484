import { platform } from 'node:os'

/** On Linux every address of 127.0.0.0/8 is this machine's; elsewhere only one is, and limits for each address then hit everybody. */
const hasManyAddresses = platform() === 'linux'

const address = (text: string): string => (hasManyAddresses ? text : '127.0.0.1')

/** Source addresses of connections, so that a limit for each address meets the one whom it is for. */
export const ADDRESS = {
  attacker: '127.0.0.1',
  honest: address('127.0.0.2'),
  sampler: address('127.0.0.3'),
  reader: address('127.0.0.4'),
  /** Not that of the validators, which are all 127.0.0.1 to each other. */
  stranger: address('127.0.0.5'),
} as const

/** One of many addresses of an attacker. */
export const manyAddresses = (index: number): string => address(`127.1.${(index >> 8) & 0xff}.${index & 0xff || 1}`)
