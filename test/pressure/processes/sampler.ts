import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import type { NodeView } from '../messages.ts'
import { ADDRESS } from './addresses.ts'
import { report } from './channel.ts'
import { Heads } from './heads.ts'
import { exchange } from './rpc-client.ts'

const EVERY_MS = 500
const PROBE_MS_MAX = 2_000
/** Ticks per second of the CPU times in /proc. */
const TICKS_PER_SECOND = 100

/** Watches validators: new blocks, memory, CPU, some metrics, and whether `/health` answers a new connection. */
export class Sampler {
  #watches: readonly Watch[] = []

  constructor(nodes: readonly NodeView[]) {
    this.watch(nodes)
  }

  /** From now on watches these nodes, and no others. */
  watch(nodes: readonly NodeView[]): void {
    for (const watch of this.#watches) watch.close()
    this.#watches = nodes.map((node) => new Watch(node))
  }
}

class Watch {
  readonly #node: NodeView
  readonly #heads: Heads
  readonly #timer: NodeJS.Timeout
  #isProbing = false
  #isReading = false

  constructor(node: NodeView) {
    this.#node = node
    this.#heads = new Heads(node.rpcPort, ADDRESS.sampler, (height) =>
      report({ kind: 'head', at: Date.now(), node: node.index, height }),
    )
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#heads.close()
  }

  #look(): void {
    if (platform() === 'linux') void this.#process()
    if (!this.#isProbing) void this.#probe()
    if (!this.#isReading) void this.#metrics()
  }

  async #process(): Promise<void> {
    const { pid, index: node } = this.#node
    try {
      const [status, stat] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')])
      const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
      const [user, system] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number)
      const cpuMs = ((user! + system!) * 1_000) / TICKS_PER_SECOND
      report({ kind: 'process', at: Date.now(), node, rssBytes: 1_024 * kilobytes, cpuMs })
    } catch (failure) {
      // The process has ended: the test tracks its processes itself.
      if ((failure as NodeJS.ErrnoException).code !== 'ENOENT' && (failure as NodeJS.ErrnoException).code !== 'ESRCH')
        throw failure
    }
  }

  async #probe(): Promise<void> {
    this.#isProbing = true
    const at = Date.now()
    const started = performance.now()
    const answer = await this.#get('/health')
    this.#isProbing = false
    const isAnswered = answer.ok && answer.status === 200
    report({ kind: 'probe', at, node: this.#node.index, ms: isAnswered ? performance.now() - started : undefined })
  }

  async #metrics(): Promise<void> {
    this.#isReading = true
    const answer = await this.#get('/metrics')
    this.#isReading = false
    if (!answer.ok || answer.status !== 200) return
    const values = new Map(answer.text.split('\n').map((line) => line.split(' ') as [string, string]))
    const value = (name: string): number => Number(values.get(`quoin_${name}`) ?? 0)
    const at = Date.now()
    const node = this.#node.index
    report({
      ...{ kind: 'gauges', at, node },
      loopMaxMs: value('process_loop_delay_max_ms'),
      finalityMs: value('chain_finality_ms'),
      poolTransactions: value('mempool_transactions'),
      peers: value('network_peers'),
      disconnects: value('network_disconnects'),
    })
    if (platform() === 'linux') return
    const cpuMs = 1_000 * value('process_cpu_seconds_total')
    report({ kind: 'process', at, node, rssBytes: value('process_resident_bytes'), cpuMs })
  }

  #get(path: string) {
    const { probesPort: port } = this.#node
    return exchange({ port, localAddress: ADDRESS.sampler, agent: undefined, method: 'GET', path, msMax: PROBE_MS_MAX })
  }
}
