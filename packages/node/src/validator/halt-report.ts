import { writeFileSync } from 'node:fs'
import { bytesToHex } from '@quoin/protocol'
import type { HaltError } from '../engine/halt.ts'

/**
 * Writes a JSON report for analysis on another machine of why a node could not follow its chain: the decided block with its transactions,
 * its commit certificate, and the error. Bytes are in hex, big integers in decimal text.
 *
 * @returns The file's name, or why it could not be written. Never throws: a failed write must not hide the halt itself.
 */
export function writeHaltReport(file: string, halt: HaltError): string {
  const { certificate, block, head, transaction } = halt.dump
  const report = { error: halt.stack, transaction, head, certificate, block }
  try {
    writeFileSync(file, `${JSON.stringify(report, plain, 2)}\n`)
    return file
  } catch (failure) {
    return `${file} cannot be written: ${failure instanceof Error ? failure.message : String(failure)}`
  }
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? bytesToHex(value) : value
}
