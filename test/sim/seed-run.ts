import { FAULT_KINDS, type FaultKind } from './faults.ts'
import { Simulation, type SimulationOptions, type SimulationResult } from './simulation.ts'

/** Runs a seed. The error of a failure contains the seed and the command to run it again. */
export async function runSeed(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options)
  try {
    return await simulation.run()
  } catch (error) {
    const { seed, nodeCount = 4, faultyHeights } = options
    const settings = [
      `QUOIN_SIM_SEED=${seed}`,
      ...(nodeCount === 4 ? [] : [`QUOIN_SIM_NODES=${nodeCount}`]),
      ...(faultyHeights === undefined ? [] : [`QUOIN_SIM_HEIGHTS=${faultyHeights}`]),
    ]
    throw new Error(
      `seed ${seed} with ${nodeCount} validators failed after ${simulation.world.nowMs} ms (${simulation.describe()}): ` +
        `${error instanceof Error ? error.message : String(error)}; again: ${settings.join(' ')} npx vitest run --project sim`,
      { cause: error },
    )
  }
}

/** Totals over many seeds. */
export class SeedSummary {
  readonly faults = new Map<FaultKind, number>()
  seeds = 0
  heights = 0
  roundsLost = 0
  halts = 0
  replays = 0
  readonly contracts = { created: 0, logged: 0, failed: 0 }

  add({ faults, height, roundsLost, halts, replays, contracts }: SimulationResult): void {
    this.seeds++
    this.heights += height
    this.roundsLost += roundsLost
    this.halts += halts
    this.replays += replays
    for (const what of ['created', 'logged', 'failed'] as const) this.contracts[what] += contracts[what]
    for (const kind of FAULT_KINDS) this.faults.set(kind, (this.faults.get(kind) ?? 0) + (faults[kind] ?? 0))
  }

  print(what: string): void {
    if (this.seeds === 0) return
    const faults = [...this.faults].filter(([, count]) => count > 0).map(([kind, count]) => `${kind} ${count}`)
    console.log(
      `${what}: ${this.seeds} seeds, ${this.heights} heights, ${this.roundsLost} decided in a later round, ${this.halts} clean halts, ` +
        `${this.replays} logs replayed; faults: ${faults.join(', ')}`,
    )
  }
}
