/** A port could not be listened on. */
export class ListenError extends Error {
  /** Who wanted it; `--rpc-port` and the like say where. */
  readonly use: 'rpc' | 'health'
  /** The system's code, such as EADDRINUSE or EACCES, when it gave one. */
  readonly code: string | undefined
  readonly port: number

  constructor(use: ListenError['use'], code: string | undefined, message: string, port: number) {
    super(message)
    this.use = use
    this.code = code
    this.port = port
  }
}
