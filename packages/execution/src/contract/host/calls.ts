import { type Account, type Address, emptyBytes, err, ok, type Result } from '@quoin/protocol'
import { type HostContext, HostRefusal } from '../../vm/index.ts'
import { decodeArguments } from '../abi/decode.ts'
import { encodeWithSelector } from '../abi/encode.ts'
import type { TupleType } from '../abi/type.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import type { Access, Frame } from '../frame.ts'
import { codeReadGas, keyReadGas } from '../key-gas.ts'
import { decodeGas, encodedValueGas } from '../library/price.ts'
import { CONTRACT_LIMITS } from '../limits.ts'
import type { InnerMessage, MessageOutcome } from '../message.ts'
import { readRecord, recordUse } from '../record.ts'
import { readAddress } from './address.ts'
import { type Answer, cut, define, type HostEntry, refused } from './define.ts'
import { readAmount, readOptions } from './options.ts'
import { type CalledFunction, readSignature } from './signature.ts'

const GAS = CONTRACT_GAS.call
const { base: account } = CONTRACT_GAS.account

/** Messages to other accounts. A message that fails throws a CallError whose `data` is the callee's error. */
export const CALLS: readonly HostEntry[] = [
  /** (to, signature, values, options) → the output, or an array of several; undefined when the signature has no outputs. */
  typedCall('call', 'write', false),
  typedCall('staticCall', 'read', true),
  /** (to, calldata, options) → bytes returned. */
  rawCall('callRaw', 'write', false),
  rawCall('staticCallRaw', 'read', true),

  /** (to, amount). */
  define({ name: 'transfer', access: 'write', gas: GAS.base, parameters: ['string', 'bigint'] }, (frame, context, to, amount) => {
    const address = readAddress(frame.crypto, to)
    if (!address.ok) return address
    const value = readAmount('the amount', amount)
    if (!value.ok) return value
    const message = { to: address.value, data: emptyBytes(), value: value.value, gas: undefined, isStatic: false }
    return answerOf(send(frame, context, message), () => ok(undefined))
  }),

  /** (address) → bigint. */
  define({ name: 'balanceOf', access: 'read', gas: account, parameters: ['string'] }, (frame, context, text) => {
    const address = readAddress(frame.crypto, text)
    return address.ok ? ok(accountOf(frame, context, address.value).balance) : address
  }),

  /** (address) → bytes, empty for an account without code. */
  define({ name: 'codeAt', access: 'read', gas: account, parameters: ['string'] }, (frame, context, text) => {
    const { crypto, journal } = frame
    const address = readAddress(crypto, text)
    if (!address.ok) return address
    const { codeHash } = accountOf(frame, context, address.value)
    if (codeHash === undefined) return ok(emptyBytes())
    context.charge(keyReadGas(recordUse(journal, address.value)))
    context.charge(codeReadGas(journal.codeUse(codeHash), readRecord(journal, address.value)?.codeBytes ?? 0))
    return ok(journal.code(codeHash) ?? emptyBytes())
  }),
]

function typedCall(name: string, access: Access, isStatic: boolean): HostEntry {
  return define(
    { name, access, gas: GAS.base, parameters: ['string', 'string', 'value', 'value'] },
    (frame, context, to, signature, values, given) => {
      const address = readAddress(frame.crypto, to)
      if (!address.ok) return address
      if (signature.length > CONTRACT_LIMITS.signatureCharsMax)
        return refused(`the signature has more than ${CONTRACT_LIMITS.signatureCharsMax} characters`)
      context.charge(GAS.signatureChar * signature.length)
      const called = readSignature(frame.crypto, signature)
      if (!called.ok) return called
      const options = readOptions(given, isStatic)
      if (!options.ok) return options
      const { selector, inputs, outputs } = called.value
      if (!Array.isArray(values)) return refused('the values must be an array')
      context.charge(encodedValueGas(values))
      const data = encodeWithSelector(frame.crypto, selector, inputs, values)
      if (!data.ok) return data
      // As in Solidity: such a call would succeed, so a wrong address would look like a call that worked.
      if (accountOf(frame, context, address.value).codeHash === undefined)
        return callError(`${to} has no code: there is no contract at this address`, emptyBytes())
      const message = { ...options.value, to: address.value, data: data.value, isStatic }
      return answerOf(send(frame, context, message), (outcome) =>
        outputs === undefined ? ok(undefined) : outputsOf(frame, context, called.value, outputs, outcome.data),
      )
    },
  )
}

function rawCall(name: string, access: Access, isStatic: boolean): HostEntry {
  return define({ name, access, gas: GAS.base, parameters: ['string', 'bytes', 'value'] }, (frame, context, to, data, given) => {
    const address = readAddress(frame.crypto, to)
    if (!address.ok) return address
    const options = readOptions(given, isStatic)
    if (!options.ok) return options
    const message = { ...options.value, to: address.value, data, isStatic }
    return answerOf(send(frame, context, message), (outcome) => ok(outcome.data))
  })
}

/** Reads an account after charging the guest for it. */
export function accountOf({ journal }: Frame, context: HostContext, address: Address): Account {
  context.charge(keyReadGas(journal.accountUse(address)))
  return journal.account(address)
}

export function send(frame: Frame, context: HostContext, message: InnerMessage): MessageOutcome {
  const outcome = frame.send(context, message)
  context.charge(GAS.byte * outcome.data.length)
  return outcome
}

/** Converts the outcome of a message: its answer, or a CallError. */
export function answerOf(outcome: MessageOutcome, answer: (outcome: Extract<MessageOutcome, { ok: true }>) => Answer): Answer {
  return outcome.ok ? answer(outcome) : callError(outcome.reason, outcome.data)
}

export const callError = (reason: string, data: Uint8Array): Result<never, HostRefusal> =>
  err(new HostRefusal(cut(reason), { name: 'CallError', data }))

/** Decodes the returned data: nothing, one value, or an array of several. */
function outputsOf(frame: Frame, context: HostContext, called: CalledFunction, outputs: TupleType, data: Uint8Array): Answer {
  context.charge(decodeGas(outputs.name, data))
  const decoded = decodeArguments(frame.crypto, outputs, data)
  if (!decoded.ok)
    return callError(`${called.signature} returned data that is not ${outputs.name}: ${decoded.error.message}`, emptyBytes())
  return ok(decoded.value.length > 1 ? decoded.value : decoded.value[0])
}
