import { type ContractTrace, compileAbi, selectorOf } from '@quoin/execution/contract'
import type { Address, Crypto } from '@quoin/protocol'
import type { Artifact, Artifacts } from './artifacts.ts'
import type { Instance } from './instance.ts'

/** The part of a transaction or call that its description needs. */
export interface Sent {
  readonly to: Address | undefined
  readonly data: Uint8Array
}

/** Names called contracts and functions, and maps failures to source lines, with the help of artifacts. */
export class Descriptions {
  readonly #crypto: Crypto
  readonly #artifacts: Artifacts
  readonly #names = new WeakMap<Artifact, ReadonlyMap<number, string>>()

  constructor(crypto: Crypto, artifacts: Artifacts) {
    this.#crypto = crypto
    this.#artifacts = artifacts
  }

  /** Contract and function, such as `token.transfer`; undefined if no artifact has the code. */
  async called(instance: Instance, { to, data }: Sent): Promise<string | undefined> {
    if (to === undefined) return (await this.#artifacts.ofCreation(data))?.name
    const artifact = await this.#at(instance, to)
    if (artifact === undefined) return undefined
    const selector = selectorOf(data)
    const name = selector === undefined ? undefined : this.#namesOf(artifact).get(selector)
    return `${artifact.name}.${name ?? (data.length === 0 ? '(receive)' : '(fallback)')}`
  }

  /** Lines of a backtrace, innermost first, without frames of the kit. Contracts without an artifact are left out. */
  async trace(instance: Instance, { to, data }: Sent, trace: readonly ContractTrace[]): Promise<readonly string[]> {
    const lines: string[] = []
    for (const { address, stack } of trace) {
      const deployed = address === undefined ? undefined : await this.#at(instance, address)
      // A failed creation leaves no code in the state.
      const artifact = deployed ?? (to === undefined ? await this.#artifacts.ofCreation(data) : undefined)
      if (artifact !== undefined) lines.push(...(await this.#artifacts.trace(artifact, stack)).split('\n'))
    }
    return lines.filter((line) => line.trim() !== '' && !line.endsWith(KIT_MARK))
  }

  async #at({ backend }: Instance, address: Address): Promise<Artifact | undefined> {
    const code = await backend.stateAt(backend.blocks.head.header.number)?.code(address)
    return code === undefined ? undefined : this.#artifacts.ofCode(code)
  }

  #namesOf(artifact: Artifact): ReadonlyMap<number, string> {
    const known = this.#names.get(artifact)
    if (known !== undefined) return known
    const compiled = compileAbi(this.#crypto, artifact.abi)
    const names = new Map(compiled.ok ? [...compiled.value.functions].map(([selector, { name }]) => [selector, name]) : [])
    this.#names.set(artifact, names)
    return names
  }
}

/** How `mapStack` marks frames of the kit. */
const KIT_MARK = '[kit]'
