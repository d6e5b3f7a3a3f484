import type { Genesis } from '@quoin/protocol'
import type { Logger as Pino } from 'pino'
import type { Config } from '../config/index.ts'
import type { SignStateOptions } from '../engine/sign-custody.ts'
import type { OperatorAccount } from '../evidence/operator-account.ts'
import type { HealthMonitor } from '../health/monitor.ts'
import type { DataDir } from '../keys/data-dir.ts'
import type { NodeKeys } from '../keys/node-files.ts'
import type { Closable, Scope } from '../lifecycle.ts'
import type { RpcSettings } from '../rpc/server/server.ts'
import type { Shutdown, Terminable } from './shutdown.ts'

/** Inputs of one run of a node: its directory, configuration and keys, and the parts that outlive the node. */
export interface Run {
  readonly dir: DataDir
  readonly config: Config
  /** Of the configuration and of the files that it names. */
  readonly rpcSettings: RpcSettings
  readonly genesis: Genesis
  readonly keys: NodeKeys
  /** The account from which the node reports equivocation. */
  readonly operator: OperatorAccount | undefined
  readonly signState: SignStateOptions
  readonly log: Pino
  readonly scope: Scope
  readonly shutdown: Shutdown
  readonly health: HealthMonitor
}

/** Closes threads with the scope, and terminates them if that takes too long. */
export const ownThreads = <T extends Closable & Terminable>(
  { scope, shutdown }: Pick<Run, 'scope' | 'shutdown'>,
  threads: T,
): T => scope.own(shutdown.own(threads))
