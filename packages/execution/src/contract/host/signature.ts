import { ABI_LIMITS, type Crypto, ok, type Result, utf8ToBytes } from '@quoin/protocol'
import { selectorOf } from '../abi/dispatch.ts'
import { parseTypeList, type TupleType } from '../abi/type.ts'
import { TextCache } from '../cache.ts'
import { CONTRACT_CACHE_LIMITS } from '../limits.ts'
import { type Refused, refused } from './define.ts'

/** A function of another contract as the caller writes it: `balanceOf(address)(uint256)`. */
export interface CalledFunction {
  /** Name and input types. */
  readonly signature: string
  readonly selector: number
  readonly inputs: TupleType
  /** undefined when the caller gives no outputs and wants none. */
  readonly outputs: TupleType | undefined
}

const signatures = new TextCache<Result<CalledFunction, Refused>>(CONTRACT_CACHE_LIMITS.signaturesMax)

/** Parses a function signature of at most `signatureCharsMax` characters. */
export const readSignature = (crypto: Crypto, text: string): Result<CalledFunction, Refused> =>
  signatures.get(text, () => parseSignature(crypto, text))

function parseSignature(crypto: Crypto, text: string): Result<CalledFunction, Refused> {
  const name = /^[A-Za-z_$][\w$]*(?=\()/.exec(text)?.[0]
  if (name === undefined || name.length > ABI_LIMITS.nameCharsMax)
    return refused('expected a function signature such as balanceOf(address)(uint256)')
  const end = endOfList(text, name.length)
  const inputs = parseTypeList(text.slice(name.length + 1, end - 1))
  if (!inputs.ok) return refused(`inputs of ${name}: ${inputs.error.message}`)
  const signature = name + inputs.value.name
  const selector = selectorOf(crypto.keccak256(utf8ToBytes(signature)))!
  const rest = text.slice(end)
  if (rest === '') return ok({ signature, selector, inputs: inputs.value, outputs: undefined })
  if (!rest.startsWith('(') || !rest.endsWith(')')) return refused(`outputs of ${name}: expected types in parentheses`)
  const outputs = parseTypeList(rest.slice(1, -1))
  if (!outputs.ok) return refused(`outputs of ${name}: ${outputs.error.message}`)
  return ok({ signature, selector, inputs: inputs.value, outputs: outputs.value })
}

/** Position after the parenthesis that closes the one at `start`, or the text's end. */
function endOfList(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return i + 1
  }
  return text.length
}
