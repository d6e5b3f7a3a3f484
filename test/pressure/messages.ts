/** Messages between the processes of the suite. Every time is `Date.now()` of their common machine. */

/** A running validator, as the processes see it. */
export interface NodeView {
  /** Index of the validator in the network, from 0. */
  readonly index: number
  readonly pid: number
  readonly rpcPort: number
  /** Port of `/health` and `/metrics`. */
  readonly probesPort: number
  readonly p2pPort: number
}

/** The nodes that an honest user sends to and reads from. */
export interface Lane {
  /** `near` sends to a node under attack, `far` to another one. Both look for the receipt at a node that is not under attack. */
  readonly name: LaneName
  readonly sendPort: number
  readonly receiptPort: number
  /** Index of the funded account that signs. */
  readonly account: number
}

export type LaneName = 'near' | 'far'

/** What the setup has put on the chain for attacks to use. */
export interface Prepared {
  readonly genesisPath: string
  readonly genesisHash: `0x${string}`
  /** An ERC-20 token whose supply account 0 holds. */
  readonly token: `0x${string}`
  /** A contract that computes until its gas runs out. */
  readonly endless: `0x${string}`
  /** Heights of blocks with some transfers. */
  readonly smallBlocks: readonly number[]
  /** Height of a block with very many transfers. */
  readonly largeBlock: number
  /** Hash of a transaction with 120 kB of data. */
  readonly largeTransaction: `0x${string}`
  /** Contract code of some size, for calls with overrides. */
  readonly code: `0x${string}`
}

/** What a process is started for. */
export type Task =
  | { readonly role: 'sampler'; readonly nodes: readonly NodeView[] }
  | { readonly role: 'honest' }
  | {
      readonly role: 'attacker'
      /** Name of the attack in the table. */
      readonly attack: string
      readonly round: number
      readonly targets: readonly NodeView[]
      readonly prepared: Prepared
    }

/** From the test to a process. */
export type Order =
  | { readonly kind: 'task'; readonly task: Task }
  /** To the sampler: the nodes that run now. */
  | { readonly kind: 'nodes'; readonly nodes: readonly NodeView[] }
  /** To the honest users: send to and read from these nodes only. */
  | { readonly kind: 'lanes'; readonly lanes: readonly Lane[]; readonly prepared: Prepared }
  /** To the attacker: begin; later end with a tally. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }

/** From a process to the test. */
export type Report =
  /** It has started its task; an attacker is prepared and waits for `begin`. */
  | { readonly kind: 'ready' }
  | Observation
  /** The outcome of an attack. */
  | { readonly kind: 'tally'; readonly tally: Tally }
  /** An error that no attack explains: a bug of the suite. */
  | { readonly kind: 'failed'; readonly message: string }

export type Observation =
  /** A node reported a new block. */
  | { readonly kind: 'head'; readonly at: number; readonly node: number; readonly height: number }
  /** Figures of a node's process; CPU time since its start. */
  | { readonly kind: 'process'; readonly at: number; readonly node: number; readonly rssBytes: number; readonly cpuMs: number }
  /** Some of a node's metrics. */
  | {
      readonly kind: 'gauges'
      readonly at: number
      readonly node: number
      readonly loopMaxMs: number
      readonly finalityMs: number
      readonly poolTransactions: number
      readonly peers: number
      /** Sessions with peers that have ended since the node's start. */
      readonly disconnects: number
    }
  /** How long `/health` took over a new connection; undefined if there was no answer. */
  | { readonly kind: 'probe'; readonly at: number; readonly node: number; readonly ms: number | undefined }
  /** An honest transfer was first sent; `transfer` follows when it is final. */
  | {
      readonly kind: 'sent'
      readonly at: number
      readonly lane: LaneName
      readonly id: number
      /** Newest block that the sender knew. */
      readonly head: number
    }
  | {
      readonly kind: 'transfer'
      readonly at: number
      readonly lane: LaneName
      readonly id: number
      readonly ms: number
      /** Height of its block. */
      readonly height: number
    }
  /** An honest request was refused or not answered. */
  | { readonly kind: 'trouble'; readonly at: number; readonly lane: LaneName; readonly what: string }
  /** An honest read over a new connection; undefined if it was refused or not answered. */
  | {
      readonly kind: 'read'
      readonly at: number
      readonly lane: LaneName
      readonly method: string
      readonly ms: number | undefined
    }

/** How often each outcome occurred, by name: `answered`, `HTTP 429`, `-32005 ...`, `closed by the node` and so on. */
export type Tally = Readonly<Record<string, number>>
