import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { decodeContainer, hexToBytes } from '@quoin/protocol'
import { PositionFinder } from '../build/source-map.ts'
import { framesOf, type StackFrame } from '../build/trace.ts'
import type { Artifact } from './artifact.ts'

/** Stack frames that V8 keeps while the test's call site is recorded. */
const SITE_FRAMES_MAX = 25

/** The caller's stack, as V8 formats it, without lines of this directory. */
export function callSite(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = SITE_FRAMES_MAX
  const { stack = '' } = new Error()
  Error.stackTraceLimit = stackTraceLimit
  const [own = '', ...lines] = stack.split('\n').slice(1)
  // The first line is this function's own, so it shows how stacks name this directory: the test runner may have mapped the stack to sources.
  const directory = OWN_LINE.exec(own)?.[1]
  return lines.filter((line) => directory === undefined || !line.includes(directory)).join('\n')
}

const OWN_LINE = /([^\s(]*[\\/])stack\.[jt]s:/

const finders = new WeakMap<object, PositionFinder>()

/** Maps a contract's backtrace to the author's files, without frames of the kit. Returns the lines unchanged if the artifact has no source map. */
export function authorsLines(stack: string, artifact: Artifact | undefined): readonly string[] {
  const lines = stack.split('\n').filter((line) => line.trim() !== '')
  if (artifact?.sourceMap === undefined) return lines
  let finder = finders.get(artifact.sourceMap)
  if (finder === undefined) {
    const decoded = decodeContainer(hexToBytes(artifact.bytecode))
    finder = new PositionFinder(artifact.sourceMap, decoded.ok ? decoded.value.container.source : undefined)
    finders.set(artifact.sourceMap, finder)
  }
  return framesOf(stack, finder)
    .filter(({ isKit }) => !isKit)
    .map(lineOf)
}

function lineOf({ name, position, text }: StackFrame): string {
  if (position === undefined) return text
  const path = resolve(position.file)
  const place = `${existsSync(path) ? path : position.file}:${position.line}:${position.column}`
  return name === '' ? `    at ${place}` : `    at ${name} (${place})`
}
