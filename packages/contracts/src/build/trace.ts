import { type OriginalPosition, PositionFinder, type SourceMap } from './source-map.ts'

/** One frame of an interpreter backtrace. */
export interface StackFrame {
  /** Name of the function: the author's name if the calling frame reveals it, else the bundler's short name. */
  readonly name: string
  /** Undefined for frames outside of contract code, and for positions that the map does not contain. */
  readonly position: OriginalPosition | undefined
  /** Whether the frame is in @quoin/contracts. */
  readonly isKit: boolean
  /** The original line of the backtrace. */
  readonly text: string
}

/** Format of the interpreter's frames: `    at name (contract.js:line:column)`. */
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

/** The author's name of the function that a frame calls; undefined if it is called as a member or in another way. */
function calledFrom(caller: StackFrame | undefined): string | undefined {
  const { name, lineText, column } = caller?.position ?? {}
  return name !== undefined && lineText!.startsWith(`${name}(`, column! - 1) ? name : undefined
}

/** The innermost place outside of the kit; undefined if the backtrace has none. */
export const authorsPlace = (frames: readonly StackFrame[]): OriginalPosition | undefined =>
  frames.find(({ position, isKit }) => position !== undefined && !isKit)?.position

/**
 * Maps a backtrace to the author's files, lines and columns. Keeps all frames, and marks frames of the kit with `[kit]`.
 *
 * @param bundle the deployed module's text; makes columns exact in lines with characters above U+FFFF
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

/** The part of an artifact that a tracer needs. */
export interface Traceable {
  readonly name: string
  readonly sourceMap: SourceMap
  /** The deployed module's text; see `mapStack`. */
  readonly source?: string
}

/** Maps backtraces and reasons of failed calls to the author's files. */
export interface Tracer {
  /** The frames of a backtrace; empty if the tracer does not know the contract. */
  frames(contract: string, stack: string): readonly StackFrame[]
  /** As `mapStack`. Returns the backtrace unchanged if the tracer does not know the contract. */
  stack(contract: string, stack: string): string
  /** Replaces `(line 1, column 345 of the source)` in a reason with the place in the author's file: `(contracts/token.ts:12:7)`. */
  reason(contract: string, reason: string): string
}

/** Makes a tracer that finds contracts by name; the last one wins if two have the same name. Source maps are parsed at first use. */
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
