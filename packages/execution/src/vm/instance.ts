import { assertTicks, type Ticks } from '../ticks.ts'
import { VM_LIMITS } from './limits.ts'
import { GuestMemory } from './memory.ts'
import { ProgramAbort, Unwind } from './outcome.ts'
import type { WasmImports, WasmModule, WasmPower } from './power.ts'
import { type Meter, meterOf, type QuickJs, quickJsOf } from './quickjs.ts'

/** Who answers a guest while it runs. All numbers are the guest's, and may be anything. */
export interface HostListener {
  /** Answers a call of a host function: JSValue* of the result, 0 for undefined. `argv` is the address of the JSValues. */
  onHostCall(id: number, count: number, argv: number): number
  /** Throws in the guest, which asks for a module; `name` is the address of its name, which ends with a zero. */
  onImport(name: number): void
}

/** Small serialised values go through a buffer that the image keeps for this. */
export interface Mailbox {
  readonly at: number
  readonly length: number
  /** JSValue* of the ArrayBuffer. */
  readonly buffer: number
}

const NO_MAILBOX: Mailbox = { at: 0, length: 0, buffer: 0 }

/**
 * One instance of the interpreter's binary and its memory. It knows no contract: all that it is lies in its memory and counters, and a
 * restore (`image.ts`) sets them all.
 */
export class Instance {
  readonly quickjs: QuickJs
  readonly meter: Meter
  readonly memory: GuestMemory
  /** All of its memory as it is, for `image.ts` alone; of a fixed size, so the views never detach. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** Addresses of the restored image's runtime and context. */
  runtime = 0
  context = 0
  mailbox = NO_MAILBOX
  #listener: HostListener | undefined
  #held: Ticks | undefined

  constructor(power: WasmPower, module: WasmModule) {
    const memory = power.memory(VM_LIMITS.memoryPages)
    const { buffer } = memory
    this.bytes = new Uint8Array(buffer)
    this.words = new Uint32Array(buffer)
    const exports = power.instantiate(module, { a: { ...systemImports(() => this.#listening()), a: memory } })
    this.quickjs = quickJsOf(exports)
    this.meter = meterOf(exports)
    this.memory = new GuestMemory(buffer, power.text(buffer), this.meter, (gas) => this.charge(gas))
  }

  #listening(): HostListener {
    if (this.#listener === undefined) throw new Error('a guest called the host, but no host function handlers are set')
    return this.#listener
  }

  /** Runs an action during which what the guest asks goes to a listener. */
  listen<T>(listener: HostListener, action: () => T): T {
    this.#listener = listener
    try {
      return action()
    } finally {
      this.#listener = undefined
    }
  }

  /** Sets the counter for a new run, whatever became of the last one. */
  begin(gas: Ticks): void {
    this.#held = undefined
    this.gasLeft = gas
  }

  get gasLeft(): Ticks {
    return this.#held ?? Number(this.meter.gas.value)
  }

  set gasLeft(gas: Ticks) {
    if (this.#held === undefined) this.meter.gas.value = BigInt(gas)
    else this.#held = gas
  }

  /** Takes gas from a guest, from the host's side. Does not return when that is more than is left. */
  charge(gas: Ticks): void {
    // What is no amount must not flow on: a price that is made of a guest's number would be a way to run for nothing.
    const left = this.gasLeft - assertTicks(gas)
    this.gasLeft = left
    if (left < 0) throw new Unwind({ kind: 'out-of-gas' })
  }

  /**
   * Keeps the gas counter here while the host works, for each look at the instance's own makes a bigint. Before code of the guest runs it
   * must be given back.
   */
  hold(): void {
    this.#held ??= Number(this.meter.gas.value)
  }

  giveBack(): void {
    if (this.#held === undefined) return
    this.meter.gas.value = BigInt(this.#held)
    this.#held = undefined
  }
}

/**
 * What emscripten's program imports, by the names its linker chose. Clock and time zone are constant, the environment is empty,
 * files do not exist, memory does not grow. No import but the host call and the request for a module reads or changes anything.
 */
function systemImports(listener: () => HostListener): WasmImports[string] {
  const abort = () => {
    throw new ProgramAbort('the interpreter aborted')
  }
  const nothing = () => 0
  const EBADF = 8
  return {
    b: abort, // __assert_fail
    q: abort, // abort
    r: abort, // exit
    p: nothing, // emscripten_date_now
    m: nothing, // localtime, into a zeroed record
    n: nothing, // tzset
    l: nothing, // runtime_keepalive_clear
    j: nothing, // setitimer
    k: nothing, // resize_heap: refused
    e: nothing, // environ_get
    f: nothing, // environ_sizes_get
    c: () => EBADF, // fd_write
    d: () => EBADF, // fd_close
    o: () => EBADF, // fd_seek
    i: nothing, // interrupt handler: never set
    g: (_runtime = 0, _context = 0, _base = 0, name = 0) => {
      listener().onImport(name)
      return 0
    }, // module name
    h: nothing, // module source: none, the request for the name has thrown
    t: nothing, // host reference freed
    s: (_context = 0, _this = 0, count = 0, argv = 0, id = 0) => listener().onHostCall(id, count, argv),
  }
}
