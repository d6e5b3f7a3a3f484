import { statfs } from 'node:fs/promises'
import { root } from './paths.mjs'

/** Free space on the repository's disk, in whole MiB. */
export async function freeMib() {
  const { bavail, bsize } = await statfs(root)
  return Math.floor((bavail * bsize) / 2 ** 20)
}
