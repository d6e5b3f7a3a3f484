/**
 * Native tools come as one optional package a platform. `npm ci` refuses a lock file that lacks any of them, on every platform;
 * yet npm leaves out those that the registry in use does not serve. This puts them back.
 */

/** What the word says in a package name, where it differs from what Node calls it. */
const systemNames = { windows: 'win32' }
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processorNames = { 64: 'x64', amd64: 'x64' }
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
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
  const cpu = words.map((word) => processorNames[word] ?? word).find((word) => processors.includes(word))
  const os = words.map((word) => systemNames[word] ?? word).find((word) => systems.includes(word))
  if (cpu === undefined || (os === undefined && cpu !== 'wasm32')) return undefined
  const libc = os === 'linux' ? libraries[words.at(-1)] : undefined
  return { cpu: [cpu], ...(os && { os: [os] }), ...(libc && { libc: [libc] }) }
}
