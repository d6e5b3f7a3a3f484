import { systemClock } from '../system-clock.ts'
import '../network/compat.ts'
import { type Genesis, nobleCrypto } from '@quoin/protocol'
import type { Logger as Pino } from 'pino'
import { type Config, loadWithShadows } from '../config/index.ts'
import type { SignStateOptions } from '../engine/sign-custody.ts'
import type { OperatorAccount } from '../evidence/operator-account.ts'
import type { Ending } from '../health/ending.ts'
import { HealthMonitor } from '../health/monitor.ts'
import { type DataDir, dataDir } from '../keys/data-dir.ts'
import { developmentAddresses } from '../keys/development.ts'
import { type NodeKeys, readKeys } from '../keys/node-files.ts'
import { readOperatorKey } from '../keys/operator-key.ts'
import { passwordIn } from '../keys/validator-key-file.ts'
import { Scope } from '../lifecycle.ts'

import type { Node } from '../node.ts'
import { lockDirectory } from '../store/lock.ts'
import { unlessMissing } from '../unless-missing.ts'
import { readConfigFile } from './config-file.ts'
import { EXIT_CODE } from './exit-code.ts'
import { CommandError, orFail } from './failure.ts'
import { readGenesisFile } from './genesis-file.ts'
import { openLog } from './live-log.ts'
import { Reload } from './live-settings.ts'
import { readRpcFiles } from './rpc-files.ts'
import { rpcSettingsOf } from './rpc-settings.ts'
import { runAndClose } from './run-and-close.ts'
import { runNode } from './run-node.ts'
import { ServedSettings } from './served-settings.ts'
import { type Shutdown, systemShutdown } from './shutdown.ts'
import { stopSignal } from './stop-signal.ts'

/**
 * Runs the node of a data directory until it is told to stop or cannot continue. SIGINT, SIGTERM, and the end of a parent process that
 * started it with an IPC channel tell it to stop.
 *
 * @param root - Path of the data directory.
 * @param flags - Values by flag, such as `--rpc-port`.
 * @returns The exit code.
 * @throws {CommandError} If a setting, a key or the genesis is invalid, or the data directory is in use.
 */
export async function start(
  root: string,
  flags: Readonly<Record<string, string | undefined>>,
  signState: SignStateOptions = {},
): Promise<number> {
  const shutdown = systemShutdown((message) => void process.stderr.write(`quoin: ${message}\n`))
  const told = stopSignal().then(() => shutdown.begin())
  try {
    return await startUntil(told, shutdown, root, flags, signState)
  } finally {
    // An open IPC channel to the parent would keep the process alive after a failure.
    if (process.connected) process.disconnect()
  }
}

async function startUntil(
  told: Promise<void>,
  shutdown: Shutdown,
  root: string,
  flags: Readonly<Record<string, string | undefined>>,
  signState: SignStateOptions,
): Promise<number> {
  const dir = dataDir(root)
  const read = async () => loadWithShadows({ file: await readConfigFile(dir), env: process.env, flags })
  const { config } = orFail(await read(), 'configuration')
  const settings = rpcSettingsOf(config, await readRpcFiles(config, dir.root))
  const genesis = await readGenesis(dir)
  const keys = orFail(await readKeys(nobleCrypto, dir, passwordIn(config.keys['password-file'])), root)
  requireRealKeys(genesis, keys)
  const operator = await readOperator(config)
  const { log, setLevel } = openLog(config.log.level)
  const served = new ServedSettings()
  const prepare = async (changed: Config) => {
    const next = rpcSettingsOf(changed, await readRpcFiles(changed, dir.root))
    return () => {
      setLevel(changed.log.level)
      served.set(next)
    }
  }
  const scope = new Scope((err, name) => log.fatal({ err }, `${name} failed`))
  let health: HealthMonitor | undefined
  const run = async (): Promise<number> => {
    try {
      scope.own(orFail(await lockDirectory(dir.root), 'data directory'))
      health = scope.own(new HealthMonitor(systemClock, log.child({ module: 'health' })))
      scope.own(new Reload({ config, read, prepare, log }))
      const { node, rpc } = await runNode({
        dir,
        config,
        rpcSettings: settings,
        genesis,
        keys,
        operator,
        signState,
        log,
        scope,
        shutdown,
        health,
      })
      if (rpc !== undefined) served.serve(rpc)
      process.send?.({ kind: 'ready', rpcPort: rpc?.port ?? 0 })
      const ending = await endOf({ node, told, log, health, stayUp: config.health['stay-up-when-halted'] })
      const exitCode = ending === undefined ? EXIT_CODE.done : EXIT_CODE[ending.code]
      log.info({ exitCode }, 'stopping')
      shutdown.begin()
      return exitCode
    } catch (err) {
      const wasTold = shutdown.hasBegun
      // A part that does not close must not keep the process alive: a supervisor would wait for its end for ever.
      shutdown.begin()
      if (!(wasTold && shutdown.isForced)) throw err
      log.warn({ err }, 'stopped before the node had started')
      return EXIT_CODE.done
    }
  }
  try {
    return await runAndClose({
      run,
      close: () => close(scope, shutdown, log),
      hasEnded: () => health?.ending !== undefined,
      onLateFailure: (err) => log.error({ err }, 'closing the node failed in part'),
    })
  } finally {
    log.info({}, 'stopped')
  }
}

/** Waits until the node is told to stop (undefined) or cannot continue (the reason). */
async function endOf(run: {
  readonly node: Node
  readonly told: Promise<void>
  readonly log: Pino
  readonly health: HealthMonitor
  readonly stayUp: boolean
}): Promise<Ending | undefined> {
  const { node, told, log, health, stayUp } = run
  const ending = await Promise.race([told.then(() => undefined), health.ended])
  if (ending === undefined || !stayUp) return ending
  await node.stop().catch((err: unknown) => log.error({ err }, 'closing the node failed in part'))
  log.warn(
    { reason: ending.code },
    'the node has left the network and only answers reads until it is stopped (health.stay-up-when-halted)',
  )
  await told
  return undefined
}

/** Work that waited for terminated threads fails; that loses no data, so it is only logged. */
async function close(scope: Scope, shutdown: Shutdown, log: Pino): Promise<void> {
  try {
    await scope.close()
  } catch (err) {
    if (!shutdown.isForced) throw err
    log.warn({ err }, 'stopped while work was in progress')
  }
}

async function readGenesis(dir: DataDir): Promise<Genesis> {
  const genesis = await unlessMissing(readGenesisFile(dir.genesis))
  if (genesis !== undefined) return genesis
  throw new CommandError(
    `${dir.genesis} does not exist: create a data directory with quoin init, and copy the chain's genesis.json into it`,
  )
}

async function readOperator(config: Config): Promise<OperatorAccount | undefined> {
  const file = config.operator['key-file']
  return file === '' ? undefined : orFail(await readOperatorKey(nobleCrypto, file), 'operator.key-file')
}

/** Development keys are public: a chain that is not for development must not trust one. */
function requireRealKeys(genesis: Genesis, { validator }: NodeKeys): void {
  if (genesis.development) return
  const known = developmentAddresses(nobleCrypto)
  if (known.has(validator.address))
    throw new CommandError(
      `the validator key is a development key (${validator.address}), but genesis.json does not have "development": true. Create a new key with quoin init`,
    )
  const voter = genesis.validators.validators.find(({ address }) => known.has(address))
  if (voter !== undefined)
    throw new CommandError(
      `genesis.json has the development key ${voter.address} as a validator, but not "development": true. Replace the key: development keys are public`,
    )
  const funded = genesis.alloc.find(({ address }) => known.has(address))
  if (funded !== undefined)
    throw new CommandError(
      `genesis.json funds the development account ${funded.address}, but does not have "development": true. Remove the account: its key is public`,
    )
}
