/** A server, or the network, could not listen. */
export class ListenError extends Error {
  /** What failed. It names the flags that set its address, such as `--rpc-port`. */
  readonly use: 'rpc' | 'health' | 'p2p'
  /** The system's error code, such as EADDRINUSE or EACCES, if it gave one. */
  readonly code: string | undefined
  /** Undefined if only the message names it. */
  readonly port: number | undefined

  constructor(use: ListenError['use'], code: string | undefined, message: string, port?: number) {
    super(message)
    this.use = use
    this.code = code
    this.port = port
  }
}
