import type { Client } from 'viem'
import type { ResolvedRegister } from 'wagmi'
import { QuoinError } from '../errors.ts'

/** Id of a chain of wagmi's config. */
export type ChainId = ResolvedRegister['config']['chains'][number]['id']

/** wagmi's client of a chain. @throws QuoinError if its config does not have the chain */
export function configured(client: Client | undefined, chainId: number | undefined): Client {
  if (client !== undefined) return client
  throw new QuoinError(`The wagmi config has no chain ${chainId}. Add it to its chains, or pass another chainId.`)
}
