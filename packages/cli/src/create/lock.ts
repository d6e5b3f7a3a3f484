/** An entry of a package-lock.json: the fields that are used here. */
export interface LockEntry {
  /** Set only for an alias: the package's name where it differs from the path. */
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

/** A packed @quoin package, as a project installs it. */
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
 * Makes the lock file of a project that installs the @quoin packages from tarballs. It pins the versions from the repository's lock file, which
 * are the tested ones, and contains only the packages that the project needs.
 *
 * @param repository `packages` of the repository's lock file
 * @param manifest the project's package.json
 * @throws Error when the project needs a package that the repository does not have
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
    if (ours === undefined) throw new Error(`there is no tarball for ${path}`)
    const { devDependencies: _, ...rest } = free(entry)
    return { ...rest, resolved: `file:${ours.file}`, integrity: ours.integrity }
  }
}

/** Path of a dependency: in the package's own node_modules, or in the nearest one above. */
function find(repository: LockPackages, from: string, wanted: string, by: string): string {
  const path = locate(repository, from, wanted)
  if (path === undefined) throw new Error(`${by} needs ${wanted}, but the repository's package-lock.json does not contain it`)
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

/** Paths of what npm installs with a package. It leaves out optional peers, which the repository may have for tools of its own. */
function needsOf(repository: LockPackages, path: string, entry: LockEntry): readonly string[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = entry
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)
  const required = [...peers, ...Object.keys(dependencies)].filter((name) => optionalDependencies[name] === undefined)
  return [
    ...required.map((wanted) => find(repository, path, wanted, path)),
    ...Object.keys(optionalDependencies).flatMap((wanted) => locate(repository, path, wanted) ?? []),
  ]
}

/** Path in the project. A workspace package moves to node_modules, together with the packages in its own node_modules. */
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

/** npm replaces this host with the registry in use. With a `resolved` address, npm finds cached packages without a request. */
const REGISTRY = 'https://registry.npmjs.org'

function registryEntry(entry: LockEntry, path: string): LockEntry {
  const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const file = `${name.slice(name.indexOf('/') + 1)}-${entry.version}.tgz`
  return { ...free(entry), resolved: `${REGISTRY}/${name}/-/${file}` }
}

/** Removes the flags that hold for the repository only. In the project, only packages for one platform stay optional. */
function free({ dev: _, devOptional: __, optional, ...entry }: LockEntry): LockEntry {
  const isOfOnePlatform = entry.os !== undefined || entry.cpu !== undefined
  return optional === true || isOfOnePlatform ? { ...entry, optional: true } : entry
}

const sorted = (packages: Readonly<Record<string, LockEntry>>): LockPackages =>
  Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
