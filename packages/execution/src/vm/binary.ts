import { VM_LIMITS } from './limits.ts'
import { meterModule } from './meter/module.ts'
import { patchModule } from './meter/patch.ts'
import { ENGINE_PATCHES } from './patches.ts'
import { LAYOUT, STACK_POINTER_GLOBAL } from './quickjs.ts'
import { VM_GAS } from './vm-gas.ts'

/**
 * SHA-256 of the interpreter's binary before and after metering. The metered binary is part of the execution version: its hash
 * changes with the package, the patches, the meter and its weights.
 */
export const INTERPRETER_BINARY = {
  /** File of the npm package from which the metered binary is made. */
  source: '@jitl/quickjs-wasmfile-release-sync/wasm',
  /** Source of that file according to its README. docs/interpreter-security.md lists its known errors. */
  upstream: 'https://github.com/bellard/quickjs/commit/f1139494d18a2053630c5ed3384a42bb70db3c53',
  sourceSha256: '105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232',
  meteredSha256: 'c974cc91cfa5be305345ffd6bc4b6d821ba3db53ac556471a809159fc6b6d237',
} as const

/** Applies `ENGINE_PATCHES` to the package's binary. The result is not metered yet. */
export const patchInterpreter = (source: Uint8Array): Uint8Array => patchModule(source, ENGINE_PATCHES)

/** Makes the metered binary from the package's binary. The result is the same on every machine. */
export const meterInterpreter = (source: Uint8Array): Uint8Array =>
  meterModule(patchInterpreter(source), {
    memoryPages: VM_LIMITS.memoryPages,
    stackPointer: STACK_POINTER_GLOBAL,
    watch: { ...LAYOUT, pageGas: VM_GAS.page },
  })
