import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Cache folder. Its content can be made again at any time; removing node_modules removes it too. */
export const cacheFolder = join(root, 'node_modules', '.cache', 'quoin')

/** @returns {string} path of a tool's entry script, to run with this process's Node.js */
export const tool = (path) => join(root, 'node_modules', path)
