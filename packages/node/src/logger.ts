/** The part of pino that the node's modules use. Each module gets a child logger with its name. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Readonly<Record<string, string>>): Logger
}
