/**
 * Sets flags of V8 for the whole process, including worker threads. Import this module before any code that calls WebAssembly, because code that is
 * already compiled is not affected.
 */
import { setFlagsFromString } from 'node:v8'

/*
 * Works around a compiler bug. When TurboFan inlines a call of WebAssembly into a JavaScript function (V8 11.3, Node 20), its WasmGCLowering drops all
 * TypeGuards of the function. Operations can then move above the checks that protect them: `typeof value === 'string' ? value.length : …` reads the
 * length of a value that is not a string, and the process crashes with a segmentation fault. A call that is not inlined takes about 0.1 µs longer.
 */
setFlagsFromString('--no-turbo-inline-js-wasm-calls')

/*
 * The main loop of the metered interpreter has more virtual registers than V8 11.3 accepts for its best register allocator. The other allocator keeps
 * values in memory: arithmetic takes 1.9 times as long, and a call needs three times the stack. V8 12.4 (Node 22) has only one allocator and prints a
 * warning for the flag.
 */
if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions')
