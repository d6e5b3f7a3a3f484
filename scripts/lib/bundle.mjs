import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const options = { bundle: true, platform: 'node', target: 'node20', metafile: true, legalComments: 'none', logLevel: 'warning' }

/**
 * Part of a package's build: copies the few functions that it uses of a large library into `dist/bundled`, so that users do not install the library
 * (ADR 22). The package imports them as `#<module>`; `imports` in its package.json leads there, and in this repository to the library itself.
 *
 * @param {URL} packageUrl the package's folder, with a slash at its end
 * @param {Readonly<Record<string, readonly string[]>>} modules what is used: module, then names
 */
export async function bundle(packageUrl, modules) {
  const folder = fileURLToPath(packageUrl)
  const out = join(folder, 'dist', 'bundled')
  await rm(out, { recursive: true, force: true })
  for (const [module, names] of Object.entries(modules)) {
    const stdin = { contents: `export { ${names.join(', ')} } from '${module}'`, resolveDir: folder }
    const outfile = join(out, `${module}.js`)
    const { metafile } = await build({ ...options, stdin, outfile, format: 'esm', absWorkingDir: folder })
    await writeFile(`${outfile}.LICENSES.txt`, await licencesOf(librariesIn(metafile, folder)))
  }
}

/**
 * The same for a library that is a Node addon. Its binaries are copied for every platform for which it has one.
 *
 * @param {URL} packageUrl
 * @param {string} library
 * @param {string} file the module of the library that loads the binary by node-gyp-build
 */
export async function bundleAddon(packageUrl, library, file) {
  const folder = fileURLToPath(packageUrl)
  const out = join(folder, 'dist', 'bundled', library)
  const entry = createRequire(packageUrl).resolve(`${library}/${file}`)
  await rm(out, { recursive: true, force: true })
  // CommonJS, because node-gyp-build looks for the binaries beside the module.
  const outfile = join(out, file.replace(/\.js$/, '.cjs'))
  const { metafile } = await build({ ...options, entryPoints: [entry], outfile, format: 'cjs', absWorkingDir: folder })
  await cp(join(dirname(entry), 'prebuilds'), join(out, 'prebuilds'), { recursive: true })
  await writeFile(`${outfile}.LICENSES.txt`, await licencesOf(librariesIn(metafile, folder)))
}

/** Folders of the npm packages of which there is something in a bundle. */
function librariesIn({ outputs }, folder) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs))
  const used = inputs.filter(([input, { bytesInOutput }]) => bytesInOutput > 0 && input !== '<stdin>')
  return [...new Set(used.map(([input]) => libraryOf(join(folder, input))))].sort(compare)
}

const compare = (a, b) => (a < b ? -1 : 1)

/** Folder of the npm package to which a file belongs. */
function libraryOf(file) {
  const parts = file.split(sep)
  const at = parts.lastIndexOf('node_modules') + 1
  return parts.slice(0, at + (parts[at].startsWith('@') ? 2 : 1)).join(sep)
}

/** Of a library, and of what it contains. */
const NOTICE = /(^|[\\/])(licen[cs]e|copying)(\.\w+)?$/i

/** The libraries with their licences, whose notices every copy needs. */
async function licencesOf(folders) {
  const texts = folders.map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const files = (await readdir(folder, { recursive: true })).filter((file) => NOTICE.test(file)).sort()
    const notices = await Promise.all(files.map(async (file) => (await readFile(join(folder, file), 'utf8')).trim()))
    return [`${name} ${version} (${license})`, ...notices].join('\n\n')
  })
  return `The file beside this one contains parts of these libraries.\n\n${(await Promise.all(texts)).join('\n\n---\n\n')}\n`
}
