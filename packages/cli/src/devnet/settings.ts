import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DEVELOPMENT_VALIDATORS_MAX } from '@quoin/node/keys'
import { CommandError, unlessMissing } from '@quoin/node/process'
import { z } from 'zod'

/** Settings that a devnet is created with. Fixed until `--reset`. */
export interface DevnetSettings {
  readonly validators: number
  readonly blockTimeMs: number
  /** P2P port of the first validator; the others use the next ports. */
  readonly p2pPort: number
}

export interface DevnetOptions {
  readonly reset: boolean
  /** RPC port of the first validator; the others use the next ports. May change from run to run. */
  readonly rpcPort: number
  /** Directory for all files of the devnet. */
  readonly directory: string
  /** Only the settings that the user gave. */
  readonly settings: Partial<DevnetSettings>
  readonly help: boolean
}

export const DEFAULT_SETTINGS: DevnetSettings = { validators: 4, blockTimeMs: 500, p2pPort: 26_656 }
export const DEFAULT_RPC_PORT = 8545

export const HELP = `Runs a development network of Quoin validators on this machine, each in its own process.

Usage: npm run devnet -- [options]

  --validators N    number of validators, 1 to ${DEVELOPMENT_VALIDATORS_MAX} (default ${DEFAULT_SETTINGS.validators})
  --block-time MS   minimum time between two blocks, 100 to 60000 (default ${DEFAULT_SETTINGS.blockTimeMs})
  --rpc-port PORT   RPC port of the first validator; the others use the next ports (default ${DEFAULT_RPC_PORT})
  --p2p-port PORT   P2P port of the first validator; the others use the next ports (default ${DEFAULT_SETTINGS.p2pPort})
  --data-dir DIR    directory for keys, data and logs (default .devnet)
  --reset           delete the chain in that directory and start a new one; fails while the devnet runs
  --help            show this help

Ctrl-C stops all validators. The next start continues the same chain.
`

const FLAGS = {
  validators: { type: 'string' },
  'block-time': { type: 'string' },
  'rpc-port': { type: 'string' },
  'p2p-port': { type: 'string' },
  'data-dir': { type: 'string' },
  reset: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export function parseOptions(argv: readonly string[]): DevnetOptions {
  const values = parseFlags(argv)
  const integer = (flag: 'validators' | 'block-time' | 'rpc-port' | 'p2p-port', min: number, max: number): number | undefined => {
    const text = values[flag]
    if (text === undefined) return undefined
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new CommandError(`--${flag} ${text}: must be an integer from ${min} to ${max}`)
  }
  const validators = integer('validators', 1, DEVELOPMENT_VALIDATORS_MAX)
  const blockTimeMs = integer('block-time', 100, 60_000)
  const p2pPort = integer('p2p-port', 1_024, 65_000)
  return {
    reset: values.reset ?? false,
    help: values.help ?? false,
    rpcPort: integer('rpc-port', 1_024, 65_000) ?? DEFAULT_RPC_PORT,
    directory: values['data-dir'] ?? '.devnet',
    settings: {
      ...(validators === undefined ? {} : { validators }),
      ...(blockTimeMs === undefined ? {} : { blockTimeMs }),
      ...(p2pPort === undefined ? {} : { p2pPort }),
    },
  }
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: false }).values
  } catch (failure) {
    throw new CommandError(`${(failure as Error).message.split('\n')[0]} (see npm run devnet -- --help)`)
  }
}

const settingsFile = z.strictObject({ validators: z.int(), blockTimeMs: z.int(), p2pPort: z.int() })

const settingsPath = (directory: string): string => join(directory, 'devnet.json')

/** The settings of the chain in a directory; undefined if there is no chain. */
export async function readSettings(directory: string): Promise<DevnetSettings | undefined> {
  const path = settingsPath(directory)
  const text = await unlessMissing(readFile(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    return settingsFile.parse(JSON.parse(text))
  } catch {
    throw new CommandError(`${path} is not a devnet settings file: delete the chain and start a new one with --reset`)
  }
}

export const writeSettings = (directory: string, settings: DevnetSettings): Promise<void> =>
  writeFile(settingsPath(directory), `${JSON.stringify(settings, null, 2)}\n`)

const FLAG_OF = { validators: '--validators', blockTimeMs: '--block-time', p2pPort: '--p2p-port' } as const

/**
 * The effective settings: those of the existing chain, else the given ones with defaults.
 *
 * @throws CommandError when a given setting differs from the existing chain's
 */
export function resolveSettings(existing: DevnetSettings | undefined, asked: Partial<DevnetSettings>): DevnetSettings {
  if (existing === undefined) return { ...DEFAULT_SETTINGS, ...asked }
  for (const [name, value] of Object.entries(asked) as [keyof DevnetSettings, number][]) {
    if (existing[name] !== value) {
      throw new CommandError(
        `the existing chain was created with ${FLAG_OF[name]} ${existing[name]}, not ${value}: omit the flag to continue this chain, or add --reset to delete it and start a new one`,
      )
    }
  }
  return existing
}
