import { assertTicks, type Ticks } from '../ticks.ts'
import { VM_LIMITS } from './limits.ts'
import { GuestMemory } from './memory.ts'
import { ProgramAbort, Unwind } from './outcome.ts'
import type { WasmImports, WasmModule, WasmPower } from './power.ts'
import { type Meter, meterOf, type QuickJs, quickJsOf } from './quickjs.ts'

/** Serves a guest while it runs. All numbers come from the guest and may be anything. */
export interface HostListener {
  /**
   * Serves a call of a host function. `argv` is the address of the JSValues. Returns the JSValue* of the result, 0 for undefined.
   */
  onHostCall(id: number, count: number, argv: number): number
  /** The guest tries to import a module: throws in the guest. `name` is the address of the zero-terminated module name. */
  onImport(name: number): void
}

/** A buffer in the image through which small serialised values are passed. */
export interface Mailbox {
  readonly at: number
  readonly length: number
  /** JSValue* of the ArrayBuffer. */
  readonly buffer: number
}

const NO_MAILBOX: Mailbox = { at: 0, length: 0, buffer: 0 }

/**
 * One instance of the interpreter's binary, with its memory. It knows no contract: its whole state is in its memory and counters,
 * and a restore (`image.ts`) sets them all.
 */
export class Instance {
  readonly quickjs: QuickJs
  readonly meter: Meter
  readonly memory: GuestMemory
  /** All of its memory, used only by `image.ts`. The size is fixed, so the views never detach. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** Addresses of the runtime and context in the restored image. */
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
    if (this.#listener === undefined) throw new Error('a guest called the host outside of a call')
    return this.#listener
  }

  /** Runs an action; requests of the guest during it go to `listener`. */
  listen<T>(listener: HostListener, action: () => T): T {
    this.#listener = listener
    try {
      return action()
    } finally {
      this.#listener = undefined
    }
  }

  /** Sets the gas counter for a new run, whatever state the last run left. */
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

  /**
   * Charges gas to the guest on behalf of the host.
   *
   * @throws Unwind (`out-of-gas`) when more is charged than is left
   */
  charge(gas: Ticks): void {
    // Refuse invalid amounts: a price computed from a guest's number (NaN, negative) would otherwise let the guest run for free.
    const left = this.gasLeft - assertTicks(gas)
    this.gasLeft = left
    if (left < 0) throw new Unwind({ kind: 'out-of-gas' })
  }

  /**
   * Keeps the gas counter in JavaScript while the host works, because every access to the instance's counter creates a bigint.
   * Call `giveBack` before guest code runs again.
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
 * Imports of emscripten's program, by the names that its linker chose. Clock and time zone are constant, the environment is
 * empty, files do not exist, memory does not grow. Only the host call and the module request read or change anything.
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
    h: nothing, // module source: none; the name request has already thrown
    t: nothing, // host reference freed
    s: (_context = 0, _this = 0, count = 0, argv = 0, id = 0) => listener().onHostCall(id, count, argv),
  }
}
