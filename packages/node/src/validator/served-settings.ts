import type { RpcSettings } from '../rpc/server/server.ts'

type Served = { set(settings: RpcSettings): void }

/** Settings that are read again: the RPC gets them at once, or as soon as it serves. */
export class ServedSettings {
  #rpc: Served | undefined
  #settings: RpcSettings | undefined

  set(settings: RpcSettings): void {
    this.#settings = settings
    this.#rpc?.set(settings)
  }

  /** The RPC serves, by the settings of the node's start. */
  serve(rpc: Served): void {
    this.#rpc = rpc
    if (this.#settings !== undefined) rpc.set(this.#settings)
  }
}
