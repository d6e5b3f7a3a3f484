import { type OriginalPosition, PositionFinder, type SourceMap } from './source-map.ts'

/** One frame of a backtrace of the interpreter. */
export interface StackFrame {
  /** The function's; as the bundler shortened it where its caller does not tell. */
  readonly name: string
  /** Undefined for frames that are no contract's code, and for places that the map does not know. */
  readonly position: OriginalPosition | undefined
  /** Whether it is code of @quoin/contracts rather than the author's. */
  readonly isKit: boolean
  /** The line of the backtrace as it was. */
  readonly text: string
}

/** The interpreter's frames: `    at name (contract.js:line:column)`. */
const FRAME = /^\s*at (.*?) ?\(?contract\.js:(\d+):(\d+)\)?\s*$/
const PLACE_IN_REASON = /\(line (\d+)(?:, column (\d+))? of the source\)/g
const KIT = '@quoin/contracts/'

export function framesOf(stack: string, finder: PositionFinder): readonly StackFrame[] {
  const frames = stack
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((text) => {
      const [, name = '', line, column] = FRAME.exec(text) ?? []
      const position = line === undefined ? undefined : finder.ofInterpreter(Number(line), Number(column))
      return { name, position, isKit: position?.file.startsWith(KIT) ?? false, text }
    })
  return frames.map((frame, i) => ({ ...frame, name: calledFrom(frames[i + 1]) ?? frame.name }))
}

/** The author's name of the function that a frame calls, where it is called by that name and not as a member of something. */
function calledFrom(caller: StackFrame | undefined): string | undefined {
  const { name, lineText, column } = caller?.position ?? {}
  return name !== undefined && lineText!.startsWith(`${name}(`, column! - 1) ? name : undefined
}

/** The innermost place in the author's own code; undefined when the backtrace has none. */
export const authorsPlace = (frames: readonly StackFrame[]): OriginalPosition | undefined =>
  frames.find(({ position, isKit }) => position !== undefined && !isKit)?.position

/**
 * A backtrace with the author's files, lines and columns. No frame is left out; those of the kit are marked. `bundle`, the deployed module's
 * text, makes columns exact in lines that hold characters beyond U+FFFF.
 */
export const mapStack = (stack: string, sourceMap: SourceMap, bundle?: string): string =>
  formatFrames(framesOf(stack, new PositionFinder(sourceMap, bundle)))

function formatFrames(frames: readonly StackFrame[]): string {
  return frames
    .map(({ name, position, isKit, text }) => {
      if (position === undefined) return text
      const place = `${position.file}:${position.line}:${position.column}`
      return `    at ${name === '' ? place : `${name} (${place})`}${isKit ? ' [kit]' : ''}`
    })
    .join('\n')
}

/** What a tracer needs of an artifact. */
export interface Traceable {
  readonly name: string
  readonly sourceMap: SourceMap
  /** The deployed module's text; see `mapStack`. */
  readonly source?: string
}

/** Maps what failed calls say back to the author's files. */
export interface Tracer {
  /** The frames of a backtrace; none of a contract that the tracer does not know. */
  frames(contract: string, stack: string): readonly StackFrame[]
  /** See `mapStack`; a contract that the tracer does not know keeps its backtrace. */
  stack(contract: string, stack: string): string
  /** A reason with `(line 1, column 345 of the source)` in the author's terms: `(contracts/token.ts:12:7)`. */
  reason(contract: string, reason: string): string
}

/** A tracer of contracts by name; of two with one name, the later. Each source map is read when it is first needed. */
export function createTracer(artifacts: readonly Traceable[]): Tracer {
  const known = new Map(artifacts.map((artifact) => [artifact.name, artifact]))
  const finders = new Map<string, PositionFinder>()
  const finderOf = (name: string): PositionFinder | undefined => {
    const artifact = known.get(name)
    if (artifact === undefined) return undefined
    const finder = finders.get(name) ?? new PositionFinder(artifact.sourceMap, artifact.source)
    finders.set(name, finder)
    return finder
  }
  const frames = (name: string, stack: string) => {
    const finder = finderOf(name)
    return finder === undefined ? [] : framesOf(stack, finder)
  }
  return {
    frames,
    stack: (name, stack) => (known.has(name) ? formatFrames(frames(name, stack)) : stack),
    reason: (name, reason) =>
      reason.replace(PLACE_IN_REASON, (text, line: string, column: string | undefined) => {
        const position = finderOf(name)?.ofInterpreter(Number(line), Number(column ?? 1))
        return position === undefined ? text : `(${position.file}:${position.line}:${position.column})`
      }),
  }
}
