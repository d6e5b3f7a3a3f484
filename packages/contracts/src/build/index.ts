/**
 * Builds TypeScript modules into containers and artifacts, verifies deployed contracts, and maps positions in deployed code back to source files.
 *
 * @module
 */

export { artifactTexts, type FormerArtifact, readArtifact } from './artifact.ts'
export { type BuildOptions, type BuildResult, build } from './build.ts'
export type { BuiltContract } from './built-contract.ts'
export { type Diagnostic, formatDiagnostic, formatDiagnostics } from './diagnostic.ts'
export { grouped } from './grouped.ts'
export { checkLayout, type LayoutProblem } from './layout.ts'
export { BUILD_LIMITS } from './limits.ts'
export type { OriginalPosition, SourceMap } from './source-map.ts'
export { createTracer, mapStack, type StackFrame, type Traceable, type Tracer } from './trace.ts'
export {
  type ContainerPart,
  type Difference,
  type VerifyError,
  type VerifyOptions,
  verifyCode,
} from './verify.ts'
export { COMPILER } from './version.ts'
export { type Watch, type WatchHooks, watch } from './watch.ts'
export type { Weight } from './weight.ts'
