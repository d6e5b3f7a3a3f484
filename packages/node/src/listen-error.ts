/** A server could not listen on its port. */
export class ListenError extends Error {
  /** The server that failed. It names the flags that set its address, such as `--rpc-port`. */
  readonly use: 'rpc' | 'health'
  /** The system's error code, such as EADDRINUSE or EACCES, if it gave one. */
  readonly code: string | undefined
  readonly port: number

  constructor(use: ListenError['use'], code: string | undefined, message: string, port: number) {
    super(message)
    this.use = use
    this.code = code
    this.port = port
  }
}
