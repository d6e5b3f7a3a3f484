import type { describeKeys } from '@quoin/validator/directory'
import { shellCommand } from '../shell-argument.ts'

/** The text of `quoin keys`: its last line can be copied behind `quoin genesis`. */
export const keysText = ({ address, entry }: Awaited<ReturnType<typeof describeKeys>>): string =>
  `Validator address: ${address}
Its entry, as an option of quoin genesis:
  ${shellCommand(['--validator', JSON.stringify(entry)])}`
