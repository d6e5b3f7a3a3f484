import { VM_LIMITS } from './limits.ts'
import type { MemoryText, WasmImports, WasmModule, WasmPower } from './power.ts'
import { type Meter, meterOf, type QuickJs, quickJsOf } from './quickjs.ts'

/** The program gave up: a failed assertion, abort or exit. */
export class ProgramAbort extends Error {
  override readonly name = 'ProgramAbort'
}

/** Answers a guest's call of a host function: JSValue* of the result, 0 for undefined. `argv` is the address of the JSValues. */
export type HostCallback = (id: number, count: number, argv: number) => number

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
  /** All of its memory; of a fixed size, so the views never detach. */
  readonly bytes: Uint8Array
  readonly halves: Uint16Array
  readonly words: Uint32Array
  readonly text: MemoryText
  /** The stack pointer before anything ran. */
  readonly stackTop: number
  /** Addresses of the restored image's runtime and context. */
  runtime = 0
  context = 0
  mailbox = NO_MAILBOX
  #onHostCall: HostCallback | undefined
  #held: number | undefined

  constructor(power: WasmPower, module: WasmModule) {
    const memory = power.memory(VM_LIMITS.memoryPages)
    this.bytes = new Uint8Array(memory.buffer)
    this.halves = new Uint16Array(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    this.text = power.text(memory.buffer)
    const callHost: HostCallback = (id, count, argv) => {
      if (this.#onHostCall === undefined) throw new Error('a guest called the host while none listens')
      return this.#onHostCall(id, count, argv)
    }
    const exports = power.instantiate(module, { a: { ...systemImports(callHost), a: memory } })
    this.quickjs = quickJsOf(exports)
    this.meter = meterOf(exports)
    this.stackTop = this.meter.stackPointer.value
  }

  /** Runs an action during which the guest's calls of host functions go to `onHostCall`. */
  listen<T>(onHostCall: HostCallback, action: () => T): T {
    this.#onHostCall = onHostCall
    try {
      return action()
    } finally {
      this.#onHostCall = undefined
    }
  }

  /** Sets the counter for a new run, whatever became of the last one. */
  begin(gas: number): void {
    this.#held = undefined
    this.gasLeft = gas
  }

  get gasLeft(): number {
    return this.#held ?? Number(this.meter.gas.value)
  }

  set gasLeft(gas: number) {
    if (this.#held === undefined) this.meter.gas.value = BigInt(gas)
    else this.#held = gas
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
 * files do not exist, memory does not grow. No import but the host call reads or changes anything.
 */
function systemImports(callHost: HostCallback): WasmImports[string] {
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
    h: nothing, // module source: never set
    g: nothing, // module name: never set
    t: nothing, // host reference freed
    s: (_context = 0, _this = 0, count = 0, argv = 0, id = 0) => callHost(id, count, argv),
  }
}
