import { type BuildOptions, build, formatDiagnostics, verifyCode } from '@quoin/contracts/build'
import { CommandError } from '@quoin/node/process'
import { decodeContainer, type Hex, parseHex } from '@quoin/protocol'
import { JsonRpc } from '../json-rpc.ts'

export interface VerifyCommand {
  readonly address: string
  readonly entry: string
  readonly rpc: string
  readonly project: string
  readonly ignoreSourceMap: boolean
  /** Additional conditions to resolve packages' `exports` with. */
  readonly conditions: readonly string[]
}

/**
 * Builds a contract's sources and compares the result with the code at an address.
 *
 * @returns one line that says what was verified
 * @throws CommandError when the code differs, the sources do not build or the node does not answer
 */
export async function verifyContract(command: VerifyCommand): Promise<string> {
  const { address, entry, rpc, project, ignoreSourceMap, conditions } = command
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw new CommandError(`${address} is not an address`)
  const code = await codeAt(rpc, address)
  const deployed = decodeContainer(code)
  const embedSourceMap = deployed.ok && deployed.value.container.sourceMap.length > 0
  // The chain accepted the code, so no limit of gas applies to it.
  const options: BuildOptions = { project, entries: [entry], typeCheck: false, gasCheck: false, embedSourceMap, conditions }
  const result = await build(options)
  if (!result.ok) throw new CommandError(`the sources do not build:\n${formatDiagnostics(result.error)}`)
  const [built] = result.value
  const verified = verifyCode(code, built!, { ignoreSourceMap })
  if (!verified.ok) throw new CommandError(`${address}: ${verified.error.message}`)
  return `${address} is ${entry}: ${code.length} bytes, ${deployed.ok ? deployed.value.container.compiler : ''}.`
}

/** The answer of eth_getCode. */
async function codeAt(rpc: string, address: string): Promise<Uint8Array> {
  const result = await new JsonRpc(rpc).call('eth_getCode', [address, 'latest'])
  const code = typeof result === 'string' ? parseHex(result as Hex) : undefined
  if (code === undefined) throw new CommandError(`${rpc} returned no code for eth_getCode`)
  return code
}
