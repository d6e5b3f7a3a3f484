/**
 * Native tools have one optional package for each platform. On every platform, `npm ci` rejects a lock file in which one of them is missing. But
 * npm leaves out packages that the registry in use does not serve. This module adds them again.
 */

/** Names of systems in package names, where they differ from Node's `process.platform`. */
const systemNames = { windows: 'win32' }
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processorNames = { 64: 'x64', amd64: 'x64' }
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']
const libraries = { gnu: 'glibc', musl: 'musl' }

/**
 * Optional dependencies without an entry in the lock file.
 *
 * @param {Record<string, any>} packages the lock file's `packages`
 * @returns {{ by: string, name: string, version: string }[]} `by` is the path of the dependent package
 */
export function missingEntries(packages) {
  return Object.entries(packages).flatMap(([by, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !resolves(packages, by, name))
      .map(([name, version]) => ({ by, name, version })),
  )
}

/** Resolves a package as Node.js does: in the package's own node_modules, then in each folder above. */
function resolves(packages, by, name) {
  for (let folder = by; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
    if (!folder.includes('node_modules/')) return folder !== '' && packages[`node_modules/${name}`] !== undefined
  }
}

/**
 * @param {string} text of package-lock.json
 * @returns {{ text: string, added: string[], unknown: string[] }} `text` has an entry for each missing platform package: its exact version and the
 *   platform from its name, without a hash (npm adds the hash when it installs the package); `unknown` are names that do not tell a platform
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

/** Platform in a package name such as `…-linux-x64-musl`; undefined if the name does not contain a processor. */
export function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, '').split('-')
  const cpu = words.map((word) => processorNames[word] ?? word).find((word) => processors.includes(word))
  const os = words.map((word) => systemNames[word] ?? word).find((word) => systems.includes(word))
  if (cpu === undefined || (os === undefined && cpu !== 'wasm32')) return undefined
  const libc = os === 'linux' ? libraries[words.at(-1)] : undefined
  return { cpu: [cpu], ...(os && { os: [os] }), ...(libc && { libc: [libc] }) }
}
