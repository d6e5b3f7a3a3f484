import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Folders with third-party or generated files. In a git worktree `.git` is a file, which contains a path of the machine. */
const skippedFolders = ['node_modules', 'dist', 'artifacts', '.git', '.turbo', '.devnet', 'coverage', 'docs/api']
const textFile = /(\.(tsx?|mjs|cjs|js|json|jsonc|md|toml|ya?ml|sh|html|css|txt)|(^|\/)[A-Z]+|\.ci\/\w+|\/?\.[a-z]+)$/

/** Larger files are third-party test vectors. They make up most of the tree's MiB, and no rule applies to them. */
const sourceBytesMax = 1_048_576

/**
 * All text files of the project in path order, tracked by git or not (git may not be installed).
 *
 * @returns path from the root, with slashes, and text
 */
export function* sourceFiles(folder = root): Generator<{ readonly path: string; readonly text: string }> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = join(folder, entry.name)
    const path = relative(root, full).split(sep).join('/')
    if (entry.isDirectory()) {
      if (!skippedFolders.includes(entry.name) && !skippedFolders.includes(path)) yield* sourceFiles(full)
    } else if (entry.isFile() && path !== '.git' && textFile.test(path) && statSync(full).size <= sourceBytesMax) {
      yield { path, text: readFileSync(full, 'utf8') }
    }
  }
}
