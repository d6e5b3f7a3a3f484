import { platform } from 'node:os'

/** On Linux every address of 127.0.0.0/8 belongs to this machine; elsewhere only one does, and limits per address then affect everybody. */
const hasManyAddresses = platform() === 'linux'

const address = (text: string): string => (hasManyAddresses ? text : '127.0.0.1')

/** Source addresses of connections, so that a limit per address affects only its target. */
export const ADDRESS = {
  attacker: '127.0.0.1',
  honest: address('127.0.0.2'),
  sampler: address('127.0.0.3'),
  reader: address('127.0.0.4'),
  /** Not the address of the validators, which all are 127.0.0.1 to each other. */
  stranger: address('127.0.0.5'),
} as const

/** One of many addresses of an attacker. */
export const manyAddresses = (index: number): string => address(`127.1.${(index >> 8) & 0xff}.${index & 0xff || 1}`)
