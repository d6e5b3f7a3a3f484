import { nobleCrypto as crypto, Hash, type Hex, hexToBytes } from '@quoin/protocol'
import type { AbiFunction } from 'abitype'
import { toFunctionSelector, toFunctionSignature } from '#viem/utils'
import type { Artifact } from './artifact.ts'

const codeHashes = new WeakMap<Artifact, Hash>()

/** The code hash of the artifact's code in the state. */
function codeHashOf(artifact: Artifact): Hash {
  let hash = codeHashes.get(artifact)
  if (hash === undefined) {
    hash = Hash(crypto.keccak256(hexToBytes(artifact.bytecode)))
    codeHashes.set(artifact, hash)
  }
  return hash
}

/** The artifacts that a test has used, by code hash. */
export class ArtifactIndex {
  readonly #byCode = new Map<Hash, Artifact>()

  add(artifact: Artifact): void {
    this.#byCode.set(codeHashOf(artifact), artifact)
  }

  of(codeHash: Hash | undefined): Artifact | undefined {
    return codeHash === undefined ? undefined : this.#byCode.get(codeHash)
  }
}

const namesBySelector = new WeakMap<Artifact, ReadonlyMap<Hex, string>>()

/** The function that calldata calls: its name, or its signature if the ABI has several functions with that name. */
export function functionNameOf(artifact: Artifact, data: Hex): string {
  if (data === '0x') return '(receive)'
  let names = namesBySelector.get(artifact)
  if (names === undefined) {
    names = namesOf(artifact.abi.filter((item): item is AbiFunction => item.type === 'function'))
    namesBySelector.set(artifact, names)
  }
  return names.get(data.slice(0, 10) as Hex) ?? '(fallback)'
}

function namesOf(functions: readonly AbiFunction[]): ReadonlyMap<Hex, string> {
  const isAlone = (name: string) => functions.filter((other) => other.name === name).length === 1
  return new Map(functions.map((fn) => [toFunctionSelector(fn), isAlone(fn.name) ? fn.name : toFunctionSignature(fn)]))
}
