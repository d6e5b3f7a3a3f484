/**
 * Flags of V8 for the whole process, worker threads included. Import it before whatever calls WebAssembly: code that was compiled earlier
 * keeps what it was compiled with.
 */
import { setFlagsFromString } from 'node:v8'

/*
 * Where TurboFan inlines calls of WebAssembly into JavaScript (V8 11.3, Node 20), its WasmGCLowering drops all of the function's TypeGuards. What
 * they kept behind a check floats above it: `typeof value === 'string' ? value.length : …` then reads the length of whatever `value` is, and the
 * process dies of a segmentation fault. The price of calls that are not inlined is some 0.1 µs each.
 */
setFlagsFromString('--no-turbo-inline-js-wasm-calls')

/*
 * The interpreter's main loop, metered, has more virtual registers than V8 11.3 gives to its best register allocator; the other one keeps values in
 * memory: arithmetic takes 1.9 times as long, and a call three times the stack. V8 12.4 (Node 22) has one allocator, and complains of the flag.
 */
if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions')
