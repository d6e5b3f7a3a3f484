import type { RpcSettings } from '../rpc/server/server.ts'

type Served = { set(settings: RpcSettings): void }

/** Passes reloaded settings to the RPC server: at once, or as soon as it serves. */
export class ServedSettings {
  #rpc: Served | undefined
  #settings: RpcSettings | undefined

  set(settings: RpcSettings): void {
    this.#settings = settings
    this.#rpc?.set(settings)
  }

  /** The RPC has started, with the settings that the node started with. */
  serve(rpc: Served): void {
    this.#rpc = rpc
    if (this.#settings !== undefined) rpc.set(this.#settings)
  }
}
