import { bytesToHex, type ContractContainer, decodeContainer, err, formatAbi, ok, type Result, unwrap } from '@quoin/protocol'
import type { BuiltContract } from './built-contract.ts'

/** A part in which a deployed container is not the one that was built. */
export type ContainerPart = 'source' | 'abi' | 'upgradeAuthority' | 'reentrantSelectors' | 'compiler' | 'sourceMap'

/** One part in which two containers differ. */
export interface Difference {
  readonly part: ContainerPart
  /** Short texts of what is there and what was built. */
  readonly deployed: string
  readonly built: string
}

/** Why deployed code is not what was built: there is none, it is no container, or the two differ. */
export type VerifyError =
  | { readonly kind: 'no-code'; readonly message: string }
  | { readonly kind: 'no-container'; readonly message: string }
  | { readonly kind: 'differs'; readonly message: string; readonly differences: readonly Difference[] }

/** What verification overlooks. */
export interface VerifyOptions {
  /** Take two containers for the same that differ in nothing but their source maps. */
  readonly ignoreSourceMap?: boolean
}

/** Compares the code of an account, as eth_getCode answers it, with a fresh build. */
export function verifyCode(
  code: Uint8Array,
  built: Pick<BuiltContract, 'code'>,
  { ignoreSourceMap = false }: VerifyOptions = {},
): Result<undefined, VerifyError> {
  if (code.length === 0) return err({ kind: 'no-code', message: 'there is no code at this address' })
  const decoded = decodeContainer(code)
  if (!decoded.ok)
    return err({ kind: 'no-container', message: `the code is no contract of this chain: ${decoded.error.message}` })
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

/** The texts around their first difference. */
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
      : `\nIt was built by another version. Install the one that is named (${compiler.deployed}) and its lock file's dependencies, and verify again.`
  return `the deployed contract is not what these sources build to. It differs in\n${lines.join('\n')}${advice}`
}
