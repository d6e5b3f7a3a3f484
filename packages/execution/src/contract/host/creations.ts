import { concatBytes, emptyBytes, Hash, ok, type Result } from '@quoin/protocol'
import type { GuestValue, HostContext } from '../../vm/index.ts'
import { checksumText } from '../abi/address.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import type { Frame } from '../frame.ts'
import type { CreationForm } from '../message.ts'
import { readAddress } from './address.ts'
import { accountOf, answerOf, callError, send } from './calls.ts'
import { type Answer, define, type HostEntry, refused } from './define.ts'
import { readOptions } from './options.ts'

const GAS = CONTRACT_GAS.call
const HASH_BYTES = 32

/**
 * Creations of contracts. `values` are the constructor's arguments from abiEncode, or undefined. All answer with the new address.
 * A creation that fails throws a CallError, as in `calls.ts`.
 */
export const CREATIONS: readonly HostEntry[] = [
  /** (container, values, options): the address follows from the creator's nonce. */
  define(
    { name: 'create', access: 'write', gas: GAS.base, parameters: ['bytes', 'any', 'value'] },
    (frame, context, container, values, given) => create(frame, context, container, values, given, {}),
  ),

  /** (container, salt, values, options): the address follows from the salt and the data (EIP-1014). */
  define(
    { name: 'create2', access: 'write', gas: GAS.base, parameters: ['bytes', 'bytes', 'any', 'value'] },
    (frame, context, container, salt, values, given) =>
      isHash(salt) ? create(frame, context, container, values, given, { salt }) : SALT_REFUSED,
  ),

  /** (address of a contract or hash of a code, values, options): as `create`, with a code of the state. */
  define(
    { name: 'clone', access: 'write', gas: GAS.base, parameters: ['any', 'any', 'value'] },
    (frame, context, of, values, given) => clone(frame, context, of, values, given, undefined),
  ),

  /** (address of a contract or hash of a code, salt, values, options): as `clone`, with an address that follows from the salt. */
  define(
    { name: 'clone2', access: 'write', gas: GAS.base, parameters: ['any', 'bytes', 'any', 'value'] },
    (frame, context, of, salt, values, given) => (isHash(salt) ? clone(frame, context, of, values, given, salt) : SALT_REFUSED),
  ),
]

const isHash = ({ length }: Uint8Array): boolean => length === HASH_BYTES
const SALT_REFUSED = refused('the salt must have 32 bytes')

function create(
  frame: Frame,
  context: HostContext,
  container: Uint8Array,
  values: GuestValue,
  given: GuestValue,
  form: CreationForm,
): Answer {
  const encoded = values ?? emptyBytes()
  if (!(encoded instanceof Uint8Array)) return refused('the arguments must be a Uint8Array')
  const options = readOptions(given, false)
  if (!options.ok) return options
  context.charge(GAS.byte * (container.length + encoded.length))
  const message = { ...options.value, to: undefined, data: concatBytes(container, encoded), isStatic: false, form }
  return answerOf(send(frame, context, message), ({ contractAddress }) =>
    ok(contractAddress === undefined ? undefined : checksumText(frame.crypto, contractAddress)),
  )
}

function clone(
  frame: Frame,
  context: HostContext,
  of: GuestValue,
  values: GuestValue,
  given: GuestValue,
  salt: Uint8Array | undefined,
): Answer {
  const cloneOf = codeHashOf(frame, context, of)
  return cloneOf.ok ? create(frame, context, emptyBytes(), values, given, { salt, cloneOf: cloneOf.value }) : cloneOf
}

function codeHashOf(
  frame: Frame,
  context: HostContext,
  of: GuestValue,
): Result<Hash, Extract<Answer, { readonly ok: false }>['error']> {
  if (of instanceof Uint8Array) return isHash(of) ? ok(Hash(of)) : refused('the hash of a code must have 32 bytes')
  if (typeof of !== 'string') return refused('the code must be the address of a contract, or the hash of a code as a Uint8Array')
  const address = readAddress(frame.crypto, of)
  if (!address.ok) return address
  const { codeHash } = accountOf(frame, context, address.value)
  return codeHash === undefined
    ? callError(`${of} has no code: there is no contract at this address`, emptyBytes())
    : ok(codeHash)
}
