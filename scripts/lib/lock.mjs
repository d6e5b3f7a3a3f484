/**
 * Native tools come as one optional package a platform. `npm ci` refuses a lock file that lacks any of them, on every platform;
 * yet npm leaves out those that the registry in use does not serve. This puts them back.
 */

const systems = {
  darwin: 'darwin',
  win32: 'win32',
  windows: 'win32',
  linux: 'linux',
  android: 'android',
  freebsd: 'freebsd',
  openharmony: 'openharmony',
}
const processors = {
  x64: 'x64',
  64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasm32: 'wasm32',
}
const libraries = { gnu: 'glibc', musl: 'musl' }

/**
 * Optional dependencies that a lock file names but has no entry for.
 *
 * @param {Record<string, any>} packages the lock file's `packages`
 * @returns {{ by: string, name: string, version: string }[]} `by` is the path of the package that names it
 */
export function missingEntries(packages) {
  return Object.entries(packages).flatMap(([by, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !resolves(packages, by, name))
      .map(([name, version]) => ({ by, name, version })),
  )
}

/** Node's look-up: beside the package, then in each folder above it. */
function resolves(packages, by, name) {
  for (let folder = by; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
    if (!folder.includes('node_modules/')) return folder !== '' && packages[`node_modules/${name}`] !== undefined
  }
}

/**
 * @param {string} text of package-lock.json
 * @returns {{ text: string, added: string[], unknown: string[] }} with an entry for each missing platform package: its exact version and
 *   where it fits, told from its name, without a hash (npm adds that where it installs it); `unknown` are names that tell no platform.
 */
export function completeLock(text) {
  const lock = JSON.parse(text)
  const added = []
  const unknown = []
  for (const { by, name, version } of missingEntries(lock.packages)) {
    const platform = platformOf(name)
    if (platform === undefined || !/^\d/.test(version)) {
      unknown.push(name)
      continue
    }
    const { cpu, libc, os } = platform
    const dev = lock.packages[by].dev === true
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev && { dev }),
      ...(libc && { libc }),
      optional: true,
      ...(os && { os }),
    }
    added.push(`${name}@${version}`)
  }
  const byPath = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  return { text: `${JSON.stringify({ ...lock, packages: Object.fromEntries(byPath) }, undefined, 2)}\n`, added, unknown }
}

/** What `…-linux-x64-musl` and its like say; undefined when a name tells no processor. */
export function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, '').split('-')
  const pick = (table) => words.map((word) => table[word]).find((found) => found !== undefined)
  const cpu = pick(processors)
  const os = pick(systems)
  if (cpu === undefined || (os === undefined && cpu !== 'wasm32')) return undefined
  const libc = os === 'linux' ? pick(libraries) : undefined
  return { cpu: [cpu], ...(os && { os: [os] }), ...(libc && { libc: [libc] }) }
}
