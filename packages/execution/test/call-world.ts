import {
  type Address,
  type ChainId,
  type ChainParameters,
  codec,
  emptyBytes,
  type Height,
  nobleCrypto,
  type TimeMs,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { type Call, type CallHost, type CallRequest, createCallHost } from '../src/call/index.ts'
import { writeFounding } from '../src/state/founding.ts'
import { headCodec, headKey } from '../src/state/head.ts'
import { flatOps, historyOps } from '../src/state/history.ts'
import { Journal } from '../src/state/journal.ts'
import { settleSystemRecords } from '../src/state/system-records.ts'
import { TREE_FORMAT } from '../src/state/tree/records.ts'
import { testGenesis } from './chain.ts'
import { TEST_BLOCK, TestContracts, USER } from './contracts.ts'
import { contractInterpreter } from './interpreter.ts'
import { MemoryKv } from './memory-kv.ts'

/** A database of blocks without transactions and executor: each block is a function that changes the state. */
export class CallWorld {
  readonly kv = new MemoryKv()
  readonly host: CallHost
  #height = -1

  constructor(parameters: Partial<ChainParameters> = {}) {
    const options = { crypto: nobleCrypto, chainId: 31_337 as ChainId, interpreter: contractInterpreter() }
    this.host = createCallHost({ kv: this.kv, ...options })
    this.commit(({ journal }) => writeFounding(journal, testGenesis(new Map(), parameters)))
  }

  get height(): Height {
    return this.#height as Height
  }

  blockAt(height: number) {
    return { ...TEST_BLOCK, number: height as Height, timeMs: (1_700_000_000_000 + 500 * height) as TimeMs }
  }

  /** Makes the next block. */
  commit<T>(change: (contracts: TestContracts) => T): T {
    const height = this.#height + 1
    const journal = new Journal(this.kv)
    const result = change(new TestContracts(journal, this.blockAt(height)))
    settleSystemRecords(journal)
    const changes = journal.changes()
    const head = { format: TREE_FORMAT, depth: 4, height: height as Height, oldestUndo: 0 as Height, root: ZERO_HASH }
    this.kv.write([
      ...flatOps(changes),
      ...(height === 0 ? [] : historyOps(changes, height)),
      { key: headKey, value: codec.encode(headCodec, head) },
    ])
    this.#height = height
    return result
  }

  /** A call at the head, unless the options say otherwise. */
  request(call: Partial<Call> & { readonly to: Address | undefined }, rest: Partial<CallRequest> = {}): CallRequest {
    return {
      call: {
        from: USER,
        data: emptyBytes(),
        value: 0n as Wei,
        accessList: [],
        gas: undefined,
        maxFeePerGas: 0n as Wei,
        ...call,
      },
      block: this.blockAt(this.height),
      stateOverrides: new Map(),
      blockOverrides: {},
      gasMax: 100_000_000,
      ...rest,
    }
  }
}
