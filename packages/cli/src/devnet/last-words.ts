import { open } from 'node:fs/promises'

/** Only this much of the end of a log is read. */
const TAIL_BYTES_MAX = 64 * 1024
const ERROR_LEVEL = 50
const CHARS_MAX = 500

/**
 * The last message in a validator's log about why it ended: the last error or non-log text, else the last line.
 *
 * @param from offset in bytes; the log before it belongs to earlier runs
 * @returns at most 500 characters; undefined when the log has no text from `from` on
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
    // The tail may begin in the middle of a line: drop that line.
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
    // Not a log line: output of Node.js or of the command line.
    return undefined
  }
}
