// The walls of docs/ARCHITECTURE.md: who may import whom. `npm run check -- walls` runs them.
// A rule about what code says (time, chance, locale, habits) is in test/tidy instead: this tool sees imports only.

/** Each package's runtime imports of our packages, type-only imports included. */
const MAY_IMPORT = {
  protocol: [],
  consensus: ['protocol'],
  execution: ['protocol'],
  platform: ['protocol', 'execution'],
  contracts: ['protocol', 'execution', 'platform'],
  node: ['protocol', 'consensus', 'execution', 'platform'],
  validator: ['node'],
  cli: ['protocol', 'execution', 'platform', 'contracts', 'node', 'validator'],
  sdk: ['protocol'],
}

/** An npm package wherever npm put it: in the root's node_modules or in a package's own. */
const npm = (names) => `(^|/)node_modules/(${names})/`

const forbid = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to })

/** Within a folder only `owners` import what `to` matches. */
const only = (name, comment, within, owners, to) => forbid(name, comment, { path: within, pathNot: owners }, to)

const directions = Object.entries(MAY_IMPORT).map(([name, others]) =>
  forbid(
    `direction-of-${name}`,
    `${name} may import ${others.length === 0 ? 'no other package' : `only ${others.join(', ')}`}. The order keeps the packages that all nodes must agree on free of the rest, and each package testable without those above it.`,
    { path: `^packages/${name}/` },
    { path: '^packages/', pathNot: `^packages/(${[name, ...others].join('|')})/` },
  ),
)

const packages = [
  ...directions,
  forbid(
    'unknown-package',
    'Each package has its row in MAY_IMPORT. A new package that is not listed would have no walls at all.',
    { path: '^packages/', pathNot: `^packages/(${Object.keys(MAY_IMPORT).join('|')})/` },
    {},
  ),
  forbid(
    'by-its-name',
    'A package is imported by its name, so that `exports` in its package.json decides what others see.',
    { path: '^packages/([^/]+)/' },
    { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
  ),
  forbid(
    'no-circles',
    'In a circle no file can be understood or loaded first. A circle of types alone is one too: it says that two files are one noun.',
    {},
    { circular: true },
  ),
  forbid('no-unresolvable', 'An import that leads nowhere passes every other wall.', {}, { couldNotResolve: true }),
]

const pure = [
  forbid(
    'pure-packages-use-no-platform',
    'protocol, consensus, execution and what is bundled into contracts run in browsers, in the simulator and in the interpreter. Clock, disk, network and crypto are arguments.',
    { path: '^packages/(protocol|consensus|execution)/src/|^packages/contracts/src/(kit|standards)/' },
    { dependencyTypes: ['core'] },
  ),
  forbid(
    'consensus-and-execution-are-all-ours',
    'A library below a vote or a state root could change either with its next version.',
    { path: '^packages/(consensus|execution)/src/' },
    { path: npm('.+') },
  ),
  only(
    'protocol-names-its-libraries-once',
    'Curves and hashes are a power with one default (noble.ts), RLP has one codec (rlp.ts). What their libraries answer is consensus.',
    '^packages/protocol/src/',
    ['^packages/protocol/src/(noble|rlp)\\.ts$'],
    { path: npm('.+') },
  ),
]

const execution = [
  forbid(
    'vm-knows-no-chain',
    'The interpreter knows neither chain nor ABI: it can be judged, replaced and attacked without them. It counts in ticks, so it may import them.',
    { path: '^packages/execution/src/vm/' },
    { pathNot: '^packages/(execution/src/(vm/|ticks\\.ts$)|protocol/src/index\\.ts$)' },
  ),
  only(
    'execution-never-reads-the-tree',
    'Execution reads the flat table. The tree only authenticates it, so that proofs can change without changing what a block does. inline.ts hands it the writes of a block; account-proof.ts makes proofs for others.',
    '^packages/execution/src/',
    ['^packages/execution/src/(state/tree/|account-proof\\.ts$|inline\\.ts$|index\\.ts$)'],
    { path: '^packages/execution/src/state/tree/' },
  ),
  forbid(
    'tree-knows-no-accounts',
    'The tree authenticates keys and values and knows nothing of their meaning.',
    { path: '^packages/execution/src/state/tree/' },
    { pathNot: '^packages/(execution/src/state/(tree/|kv\\.ts$|head\\.ts$)|protocol/src/index\\.ts$)' },
  ),
]

const contracts = [
  forbid(
    'kit-imports-nothing-but-types',
    'The kit is bundled into every contract: each byte that it imports is paid for at deployment.',
    { path: '^packages/contracts/src/kit/' },
    { pathNot: '^packages/contracts/src/kit/', dependencyTypesNot: ['type-only'] },
  ),
  forbid(
    'standards-are-written-with-the-kit',
    "The standards are contracts like an author's: they are bundled and have nothing but the kit.",
    { path: '^packages/contracts/src/standards/' },
    { pathNot: '^packages/contracts/src/(kit|standards)/' },
  ),
]

const NODE = '^packages/node/src/'

/** Libraries that open a database, a socket or native code, or compile. A module that imports one has that power. */
const HEAVY = npm('classic-level|libp2p|ws|pino|secp256k1|@chainsafe/hashtree|esbuild|viem')

const node = [
  only(
    'store-owns-the-database',
    'One folder knows how bytes are stored: checksums, damage and the key schema hold for every value.',
    NODE,
    [`${NODE}store/`],
    { path: npm('classic-level|abstract-level|level') },
  ),
  only(
    'network-owns-libp2p',
    'Above network/ there are peers, messages and streams; the simulator has them without libp2p.',
    NODE,
    [`${NODE}network/`],
    { path: npm('libp2p|@libp2p/[^/]+|@chainsafe/libp2p-[^/]+|@multiformats/[^/]+') },
  ),
  only(
    'crypto-owns-the-fast-libraries',
    'Each fast backend is compared with noble before it is used. That happens in crypto/, so a backend that is imported elsewhere was never compared.',
    NODE,
    [`${NODE}crypto/`],
    { path: npm('ox|secp256k1|@chainsafe/hashtree|@noble/[^/]+') },
  ),
  only(
    'rpc-owns-the-web-server',
    'What outsiders drive runs in the RPC thread. Health has its own small server in the main thread, which answers when the RPC does not.',
    NODE,
    [`${NODE}rpc/`, `${NODE}health/probe-server\\.ts$`],
    { path: ['^https?$', '^http2$', npm('ws')] },
  ),
  only(
    'schemas-are-for-people',
    "zod checks what people write: parameters of the RPC, a validator's entry. Messages of peers have codecs, which refuse in less time and memory.",
    NODE,
    [`${NODE}rpc/`, `${NODE}validator/entry\\.ts$`],
    { path: npm('zod') },
  ),
  forbid(
    'rpc-gets-a-reader',
    'The RPC serves outsiders. It sees the rest of the node through RpcBackend and imports types of it only; functions that own nothing are the exception.',
    { path: `${NODE}rpc/` },
    {
      path: `${NODE}[^/]+/`,
      pathNot: [`${NODE}rpc/`, `${NODE}mempool/ordering\\.ts$`, `${NODE}health/probes\\.ts$`],
      dependencyTypesNot: ['type-only'],
    },
  ),
  forbid(
    'network-knows-no-meaning',
    'The network carries bytes between peers. What they say is the business of engine, sync and mempool, which all use it.',
    { path: `${NODE}network/` },
    { path: [`${NODE}[^/]+/`, '^packages/(consensus|execution)/'], pathNot: `${NODE}network/` },
  ),
  forbid(
    'store-knows-no-rules',
    'The store keeps bytes and says where they lie. Of the chain it knows types.',
    { path: `${NODE}store/` },
    { path: [`${NODE}[^/]+/`, '^packages/(consensus|execution)/'], pathNot: `${NODE}store/`, dependencyTypesNot: ['type-only'] },
  ),
  forbid(
    'node-takes-its-powers',
    'node.ts puts the same node together from real powers and from simulated ones. A library that it imported would be there in both.',
    { path: `${NODE}node\\.ts$` },
    { path: HEAVY, reachable: true },
  ),
]

const cli = [
  forbid(
    'authors-install-no-validator',
    'A created project does not install @quoin/validator. main.ts loads it for the commands of operators and says what to type where it is missing; the devnet runs in this repository.',
    { path: '^packages/cli/src/', pathNot: '^packages/cli/src/(main\\.ts$|devnet/)' },
    { path: '^packages/validator/', dependencyTypesNot: ['type-only'] },
  ),
  forbid(
    'settings-are-light',
    'The program reads settings before it runs a command, and shows the limits of `quoin dev` in its help. Neither may load a database or a network.',
    { path: [`${NODE}(config/index|process)\\.ts$`, '^packages/cli/src/dev/limits\\.ts$'] },
    { path: HEAVY, reachable: true },
  ),
  forbid(
    'commands-load-when-they-run',
    '`quoin start` loads nothing of contracts, and `quoin version` starts at once. So main.ts imports a command only when it runs.',
    { path: '^packages/cli/src/(main|permissions/commands)\\.ts$' },
    {
      path: '^packages/[^/]+/src/',
      pathNot: [
        `${NODE}(config/index|process)\\.ts$`,
        '^packages/(protocol/src/index|cli/src/(cli-version|dev/limits|permissions/commands|shell-argument|validator-package))\\.ts$',
      ],
      dependencyTypesNot: ['dynamic-import', 'type-only'],
    },
  ),
]

const SDK = '^packages/sdk/src/'

const sdk = [
  only(
    'sdk-runs-in-browsers',
    'Only the entry ./store/node may use Node.js. Everything else is bundled for browsers.',
    SDK,
    [`${SDK}store/(node|file-[^/]+)\\.ts$`],
    { dependencyTypes: ['core'] },
  ),
  only('sdk-needs-no-react', 'An application without React installs none: only react/ imports it.', SDK, [`${SDK}react/`], {
    path: npm('react|react-dom|wagmi|@wagmi/[^/]+|@tanstack/[^/]+'),
  }),
  forbid(
    'react-is-an-entry-of-its-own',
    'The hooks stand on the rest of the SDK, which knows nothing of them: what the rest imported of them would be in applications without React.',
    { path: SDK, pathNot: `${SDK}react/` },
    { path: `${SDK}react/` },
  ),
  forbid(
    'rpc-of-the-sdk-knows-one-node',
    'A connection leads to one node. Which node is asked, and which next, is decided above it.',
    { path: `${SDK}rpc/` },
    { path: SDK, pathNot: `${SDK}(rpc/|errors\\.ts$)` },
  ),
]

/** @type {import('./tools/node_modules/dependency-cruiser/types/dependency-cruiser.mjs').IConfiguration} */
export default {
  forbidden: [...packages, ...pure, ...execution, ...contracts, ...node, ...cli, ...sdk],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Tests may look behind every wall; which packages they import is a matter of package.json (`npm run check -- 'dead code'`).
    exclude: { path: ['^packages/[^/]+/(bin|dist|scripts|template|test)/', '\\.test(-d)?\\.ts$'] },
    // With imports that the compiler erases: a type is a dependency too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // Our packages from their sources, as the tests do.
      conditionNames: ['@quoin/source', 'types', 'import', 'node', 'default'],
      mainFields: ['main', 'types'],
    },
    skipAnalysisNotInRules: true,
  },
}
