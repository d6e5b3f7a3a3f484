/** The part of pino that the node's modules use; each gets a child that names it. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Readonly<Record<string, string>>): Logger
}
