import { open } from 'node:fs/promises'

/** How much of a log's end is looked through. */
const TAIL_BYTES_MAX = 64 * 1024
const ERROR_LEVEL = 50
const CHARS_MAX = 500

/**
 * What a validator's log says last about why it ended: its last error or text that is no log line, else its last line. Only what was
 * written from the byte `from` on counts. Undefined when there is nothing.
 */
export async function lastWords(path: string, from: number): Promise<string | undefined> {
  const lines = (await tail(path, from))
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .map(parse)
  return (lines.findLast(({ isError }) => isError) ?? lines.at(-1))?.text.slice(0, CHARS_MAX)
}

async function tail(path: string, from: number): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const start = Math.max(from, size - TAIL_BYTES_MAX)
    const bytes = Buffer.alloc(Math.max(0, size - start))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
    const text = bytes.subarray(0, bytesRead).toString()
    // The first line is cut where the tail begins inside of it.
    return start > from ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    await file.close()
  }
}

interface Line {
  readonly text: string
  readonly isError: boolean
}

function parse(line: string): Line {
  const fields = fieldsOf(line)
  if (fields === undefined) return { text: line.trim(), isError: true }
  const { level, msg, err } = fields
  const cause = typeof err === 'object' && err !== null && 'message' in err ? `: ${String(err.message)}` : ''
  return { text: `${String(msg)}${cause}`, isError: typeof level === 'number' && level >= ERROR_LEVEL }
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'msg' in value ? { ...value } : undefined
  } catch {
    // A text that is no line of the log: what Node.js or the command line said.
    return undefined
  }
}
