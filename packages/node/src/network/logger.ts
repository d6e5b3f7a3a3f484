import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface'

/** The part of pino that the network uses. */
export interface NetworkLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Logger for libp2p: its errors go to debug level (most are a peer that disconnected), all else is dropped. */
export function libp2pLogger(logger: NetworkLogger): ComponentLogger {
  const create = (component: string): Libp2pLogger =>
    Object.assign(() => {}, {
      enabled: false,
      trace: () => {},
      error: (format: unknown, ...args: unknown[]) => logger.debug({ component, args: args.map(String) }, String(format)),
      newScope: (name: string) => create(`${component}:${name}`),
    })
  return { forComponent: create }
}
