/** An entry of a package-lock.json, as far as it is read here. */
export interface LockEntry {
  /** Where it differs from the path: an alias. */
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** `packages` of a lock file, by path. */
export type LockPackages = Readonly<Record<string, LockEntry>>

export interface Lock {
  readonly name: string
  readonly version: string
  readonly lockfileVersion: 3
  readonly requires: true
  readonly packages: LockPackages
}

/** A package of ours as a project gets it. */
export interface Tarball {
  readonly name: string
  /** Relative to the project. */
  readonly file: string
  readonly integrity: string
}

interface Manifest extends LockEntry {
  readonly name: string
  readonly version: string
}

/**
 * The lock file of a project that uses our packages as tarballs, from the lock file of the repository in which they were built: the very versions
 * that they were tested with, and what they need and nothing else. `manifest` is the project's package.json. Throws Error where it wants a
 * package that the repository does not have.
 */
export function projectLock(repository: LockPackages, manifest: Manifest, tarballs: readonly Tarball[]): Lock {
  const { name, version, devDependencies, dependencies } = manifest
  const packages: Record<string, LockEntry> = {
    '': { name, version, ...(dependencies && { dependencies }), ...(devDependencies && { devDependencies }) },
  }
  const seen = new Set<string>()
  const queue = Object.keys({ ...dependencies, ...devDependencies }).map((wanted) => find(repository, '', wanted, name))
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const entry = repository[path]!
    if (entry.link === true) {
      queue.push(entry.resolved!)
      continue
    }
    packages[placeOf(repository, path)] =
      workspaceName(repository, path) === undefined ? registryEntry(entry, path) : tarballEntry(entry, path)
    queue.push(...needsOf(repository, path, entry))
  }
  return { name, version, lockfileVersion: 3, requires: true, packages: sorted(packages) }

  function tarballEntry(entry: LockEntry, path: string): LockEntry {
    const ours = tarballs.find((tarball) => tarball.name === workspaceName(repository, path))
    if (ours === undefined) throw new Error(`no tarball of ${path}`)
    const { devDependencies: _, ...rest } = free(entry)
    return { ...rest, resolved: `file:${ours.file}`, integrity: ours.integrity }
  }
}

/** Where a package that a package names is found: beside it, or above. */
function find(repository: LockPackages, from: string, wanted: string, by: string): string {
  const path = locate(repository, from, wanted)
  if (path === undefined) throw new Error(`${by} needs ${wanted}, which the lock file does not have`)
  return path
}

function locate(repository: LockPackages, from: string, wanted: string): string | undefined {
  for (let folder = from; ; folder = above(folder)) {
    const path = `${folder}${folder === '' ? '' : '/'}node_modules/${wanted}`
    if (repository[path] !== undefined) return path
    if (folder === '') return undefined
  }
}

const above = (folder: string): string =>
  folder.includes('node_modules/') ? folder.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, '') : ''

function needsOf(repository: LockPackages, path: string, entry: LockEntry): readonly string[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = entry
  const isOptional = (name: string) => optionalDependencies[name] !== undefined || peerDependenciesMeta[name]?.optional === true
  return Object.keys({ ...peerDependencies, ...dependencies, ...optionalDependencies }).flatMap((wanted) => {
    if (isOptional(wanted)) return locate(repository, path, wanted) ?? []
    return find(repository, path, wanted, path)
  })
}

/** A package of the repository's own is installed like any other, and what lies in its node_modules with it. */
function placeOf(repository: LockPackages, path: string): string {
  const [folder, ...rest] = path.split('/node_modules/')
  const name = workspaceName(repository, folder!)
  return name === undefined ? path : [`node_modules/${name}`, ...rest].join('/node_modules/')
}

function workspaceName(repository: LockPackages, path: string): string | undefined {
  if (path.startsWith('node_modules/')) return undefined
  const link = Object.keys(repository).find((other) => repository[other]!.link === true && repository[other]!.resolved === path)
  return link?.slice('node_modules/'.length)
}

/** npm puts the registry in use in the place of this one; with the address, it finds what it has in its cache without asking any. */
const REGISTRY = 'https://registry.npmjs.org'

function registryEntry(entry: LockEntry, path: string): LockEntry {
  const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const file = `${name.slice(name.indexOf('/') + 1)}-${entry.version}.tgz`
  return { ...free(entry), resolved: `${REGISTRY}/${name}/-/${file}` }
}

/** What an entry says of the repository that it came from is not so in the project: only packages of one platform stay optional. */
function free({ dev: _, devOptional: __, optional, ...entry }: LockEntry): LockEntry {
  const isOfOnePlatform = entry.os !== undefined || entry.cpu !== undefined
  return optional === true || isOfOnePlatform ? { ...entry, optional: true } : entry
}

const sorted = (packages: Readonly<Record<string, LockEntry>>): LockPackages =>
  Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
