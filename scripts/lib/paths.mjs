import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Folder for what can be made again at any time: it goes with node_modules. */
export const cacheFolder = join(root, 'node_modules', '.cache', 'quoin')

/** @returns {string} the file of an installed tool's entry, to be run with this very Node. */
export const tool = (path) => join(root, 'node_modules', path)
