import { bytesToHex, type ContractContainer, decodeContainer, err, formatAbi, ok, type Result, unwrap } from '@quoin/protocol'
import type { BuiltContract } from './built-contract.ts'

/** A part of a container that can differ from the built one. */
export type ContainerPart = 'source' | 'abi' | 'upgradeAuthority' | 'reentrantSelectors' | 'compiler' | 'sourceMap'

/** One part in which two containers differ. */
export interface Difference {
  readonly part: ContainerPart
  /** Excerpts of both texts around the first difference. */
  readonly deployed: string
  readonly built: string
}

/** Why verification failed: there is no code, the code is not a container, or the containers differ. */
export type VerifyError =
  | { readonly kind: 'no-code'; readonly message: string }
  | { readonly kind: 'no-container'; readonly message: string }
  | { readonly kind: 'differs'; readonly message: string; readonly differences: readonly Difference[] }

/** Options of a verification. */
export interface VerifyOptions {
  /** Ignore differences of the source maps. */
  readonly ignoreSourceMap?: boolean
}

/**
 * Compares deployed code with a fresh build.
 *
 * @param code the account's code, as eth_getCode returns it
 * @param built the result of building the sources, with the same `embedSourceMap` as the deployed contract
 */
export function verifyCode(
  code: Uint8Array,
  built: Pick<BuiltContract, 'code'>,
  { ignoreSourceMap = false }: VerifyOptions = {},
): Result<undefined, VerifyError> {
  if (code.length === 0) return err({ kind: 'no-code', message: 'there is no code at this address' })
  const decoded = decodeContainer(code)
  if (!decoded.ok)
    return err({ kind: 'no-container', message: `the code is not a contract of this chain: ${decoded.error.message}` })
  const extra = decoded.value.constructorArguments.length
  if (extra > 0) return err({ kind: 'no-container', message: `${extra} bytes follow the container` })
  const expected = unwrap(decodeContainer(built.code)).container
  const differences = partsOf.flatMap(([part, textOf]) => {
    if (part === 'sourceMap' && ignoreSourceMap) return []
    const [there, here] = [textOf(decoded.value.container), textOf(expected)]
    return there === here ? [] : [{ part, ...excerpts(there, here) }]
  })
  if (differences.length === 0) return ok(undefined)
  return err({ kind: 'differs', message: differenceMessage(differences), differences })
}

const partsOf: readonly (readonly [ContainerPart, (container: ContractContainer) => string])[] = [
  ['compiler', ({ compiler }) => compiler],
  ['source', ({ source }) => source],
  ['abi', ({ abi }) => formatAbi(abi)],
  ['upgradeAuthority', ({ upgradeAuthority: of }) => (of.kind === 'account' ? of.address : of.kind)],
  [
    'reentrantSelectors',
    ({ reentrantSelectors }) => reentrantSelectors.map((one) => one.toString(16).padStart(8, '0')).join(' '),
  ],
  ['sourceMap', ({ sourceMap }) => bytesToHex(sourceMap)],
]

const EXCERPT_CHARS = 60

/** Excerpts around the first difference. */
function excerpts(deployed: string, built: string): { readonly deployed: string; readonly built: string } {
  let same = 0
  while (same < deployed.length && deployed[same] === built[same]) same++
  const from = Math.max(0, same - EXCERPT_CHARS / 3)
  const cut = (text: string) =>
    `${from > 0 ? '…' : ''}${text.slice(from, from + EXCERPT_CHARS)}${text.length > from + EXCERPT_CHARS ? '…' : ''}`
  return { deployed: cut(deployed), built: cut(built) }
}

function differenceMessage(differences: readonly Difference[]): string {
  const lines = differences.map(({ part, deployed, built }) => `  ${part}\n    deployed: ${deployed}\n    built:    ${built}`)
  const compiler = differences.find(({ part }) => part === 'compiler')
  const advice =
    compiler === undefined
      ? ''
      : `\nIt was built with another version. Install that version (${compiler.deployed}) and its lock file's dependencies, and verify again.`
  return `the deployed contract does not match these sources. It differs in\n${lines.join('\n')}${advice}`
}
