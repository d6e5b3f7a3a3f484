import { readFile } from 'node:fs/promises'
import type { DataDir } from '../keys/data-dir.ts'
import { unlessMissing } from '../unless-missing.ts'

/** Reads the configuration file of a data directory. Undefined if it does not exist. */
export async function readConfigFile(dir: DataDir): Promise<{ readonly name: string; readonly text: string } | undefined> {
  const text = await unlessMissing(readFile(dir.config, 'utf8'))
  return text === undefined ? undefined : { name: dir.config, text }
}
