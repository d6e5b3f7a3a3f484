import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CommandError, unlessMissing } from '@quoin/node/process'
import { type LockPackages, projectLock, type Tarball } from './lock.ts'
import { packageDirectory, packTarballs, VALIDATOR } from './tarballs.ts'
import { type TemplateName, templateOf } from './template.ts'

/** Folder of a project for the @quoin packages, which are not published to a registry yet. */
const VENDOR = 'vendor'

/** Files that begin with a dot. The template has them without it, because npm leaves some of them out of packages. */
const DOTFILES = ['gitignore', 'npmrc', 'yarnrc.yml'] as const

/**
 * Creates a project with a contract, a test and a deploy script, and a page if it is a DApp. Never replaces a file.
 *
 * @param directory must be empty or not exist yet
 * @returns the absolute path of the project
 * @throws CommandError when the directory is not empty, its name gives no package name, or a package that the template needs is not installed
 */
export async function createProject(directory: string, templateName: TemplateName = 'contract'): Promise<string> {
  const project = resolve(directory)
  const name = nameOf(project)
  const template = templateOf(templateName)
  await mkdir(project, { recursive: true })
  const [found] = await readdir(project)
  if (found !== undefined)
    throw new CommandError(`${project} is not empty (it contains ${found}): choose a directory that is empty or does not exist`)
  await template.copyTo(project)
  for (const name of DOTFILES) await rename(join(project, name), join(project, `.${name}`))
  await mkdir(join(project, VENDOR))
  const tarballs = (await packTarballs(project, VENDOR, template.packages)).filter((tarball) => tarball.name !== VALIDATOR)
  const manifest = await writeManifest(project, name, tarballs)
  await writeLock(project, manifest, tarballs)
  return project
}

/** The directory's name, turned into a valid package name. */
function nameOf(project: string): string {
  const name = basename(project)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  if (name === '')
    throw new CommandError(`${project}: the directory name must contain a letter or digit, because the package is named after it`)
  return name
}

type Manifest = Parameters<typeof projectLock>[1] & { readonly overrides?: Readonly<Record<string, string>> }

async function writeManifest(project: string, name: string, tarballs: readonly Tarball[]): Promise<Manifest> {
  const file = join(project, 'package.json')
  const template = JSON.parse(await readFile(file, 'utf8')) as Manifest
  const ours = Object.fromEntries(tarballs.map((tarball) => [tarball.name, `file:${tarball.file}`]))
  const devDependencies = Object.fromEntries(
    Object.entries({ ...template.devDependencies, ...ours }).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  // The tarballs need each other by version, for which npm, pnpm and Yarn would all ask a registry. npm takes only a reference to a dependency here.
  const references = Object.fromEntries(tarballs.map((tarball) => [tarball.name, `$${tarball.name}`]))
  const overrides = { ...template.overrides, ...references }
  const resolutions = { ...template.overrides, ...ours }
  const manifest = { ...template, name, devDependencies, overrides, resolutions }
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`)
  await writeFile(join(project, 'pnpm-workspace.yaml'), pnpmSettings(resolutions))
  return manifest
}

/** The same for pnpm, which has read its settings from this file since version 10.5. Earlier ones refuse a file without packages. A string in JSON is one in YAML. */
function pnpmSettings(overrides: Readonly<Record<string, string>>): string {
  const lines = Object.entries(overrides).map(([name, spec]) => `  ${JSON.stringify(name)}: ${JSON.stringify(spec)}`)
  return `# Settings of pnpm. No package needs its install script.\npackages:\n  - .\n\nignoreScripts: true\n\noverrides:\n${lines.join('\n')}\n`
}

/** Within the repository, the project gets the versions that were tested together. Elsewhere npm chooses the versions. */
async function writeLock(project: string, manifest: Manifest, tarballs: readonly Tarball[]): Promise<void> {
  const repository = await repositoryLock()
  if (repository === undefined) return
  const lock = projectLock(repository, manifest, tarballs)
  await writeFile(join(project, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
}

async function repositoryLock(): Promise<LockPackages | undefined> {
  const file = join(dirname(dirname(packageDirectory('@quoin/cli'))), 'package-lock.json')
  const text = await unlessMissing(readFile(file, 'utf8'))
  return text === undefined ? undefined : (JSON.parse(text) as { packages: LockPackages }).packages
}
