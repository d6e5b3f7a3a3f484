import {
  type AccountEntry,
  Address,
  accountCodec,
  accountEntryCodec,
  addToBloom,
  bodyCodec,
  bytesToHex,
  type ChainId,
  type CommitCertificate,
  type CompactBlock,
  type Consortium,
  type ContractContainer,
  certifiedBlockCodec,
  cloneInitCodeHash,
  codec,
  commitCertificateCodec,
  compactBlockCodec,
  consortiumCodec,
  contractAddress,
  createValidatorSet,
  nobleCrypto as crypto,
  DEFAULT_GRANTABLE,
  DEFAULT_PARAMETERS,
  type Evidence,
  emptyBloom,
  encodeContainer,
  evidenceCodec,
  Gas,
  type Genesis,
  type Governance,
  genesisDigest,
  governanceCodec,
  Hash,
  type Header,
  Height,
  headerCodec,
  headerHash,
  headerMixHash,
  headerRlp,
  hexToBytes,
  idOfName,
  type Log,
  leafNode,
  logCodec,
  merkleRoot,
  type Nonce,
  nodeDetailsCodec,
  nodeEntriesCodec,
  nodeRegistryCodec,
  type Organisation,
  type OrganisationTotals,
  organisationCodec,
  organisationTotalsCodec,
  type Policies,
  type PolkaCertificate,
  Power,
  type Proposal,
  parametersCodec,
  policiesCodec,
  polkaCertificateCodec,
  proposalCodec,
  proposalDigest,
  publicKeyCodec,
  publicKeyOf,
  type Receipt,
  type RegisteredNode,
  ROLES,
  type RosterEntry,
  Round,
  type RoundCertificate,
  rawBlockCodec,
  readyDigest,
  receiptCodec,
  receiptsCodec,
  receiptsRoot,
  rosterCodec,
  rosterEntryCodec,
  rotationDigest,
  roundCertificateCodec,
  type Schedule,
  type SigningDomain,
  type StateProof,
  saltedContractAddress,
  scheduleCodec,
  signingDigest,
  signingDomainCodec,
  stateProofCodec,
  stateValueHash,
  TimeMs,
  transactionsRoot,
  treeKey,
  upgradeAuthorityCodec,
  utf8ToBytes,
  type Vote,
  type VotesCheckpoint,
  validatorCodec,
  validatorSetCodec,
  validatorSetHash,
  voteCodec,
  voteDigest,
  votesCheckpointCodec,
  Wei,
} from '@quoin/protocol'
import { privateKeyToAccount } from 'viem/accounts'

/** One fixed value, encoded, of every type that nodes exchange, sign, hash or store. Every field has a different value. */
export type Samples = Readonly<Record<string, Uint8Array>>

export const hash = (byte: number): Hash => Hash(new Uint8Array(32).fill(byte))
export const address = (byte: number): Address => Address(new Uint8Array(20).fill(byte))
export const signature = (byte: number): Uint8Array => new Uint8Array(64).fill(byte)
export const fixed = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

export const log: Log = { address: address(0x11), topics: [hash(0x12), hash(0x13)], data: fixed(5, 0x14) }

export const header: Header = {
  parentHash: hash(0x01),
  miner: address(0x02),
  stateRoot: hash(0x03),
  transactionsRoot: hash(0x04),
  receiptsRoot: hash(0x05),
  logsBloom: bloomOf([log]),
  number: Height(1_234),
  gasLimit: Gas(60_000_000),
  gasUsed: Gas(42_000),
  timeMs: TimeMs(1_700_000_000_123),
  extra: { executionVersion: hash(0x06), validatorsHash: hash(0x07), nextValidatorsHash: hash(0x08) },
  genesisDigest: undefined,
  baseFeePerGas: Wei(1_000_000_000n),
}
const genesisHeader: Header = { ...header, number: Height(0), genesisDigest: hash(0x09) }

function bloomOf(logs: readonly Log[]): Uint8Array {
  const bloom = emptyBloom()
  addToBloom(crypto, bloom, logs)
  return bloom
}

export const vote: Vote = {
  kind: 'precommit',
  height: Height(1_234),
  round: Round(5),
  valueId: hash(0x21),
  validator: address(0x22),
  signature: signature(0x23),
}
const nilVote: Vote = { ...vote, kind: 'prevote', valueId: undefined }

export const proposal: Proposal = {
  height: Height(1_234),
  round: Round(5),
  valueId: hash(0x24),
  polRound: Round(3),
  proposer: address(0x25),
  signature: signature(0x26),
}

const signatures = [
  { validator: address(0x31), signature: signature(0x32) },
  { validator: address(0x33), signature: signature(0x34) },
]
export const commitCertificate: CommitCertificate = {
  height: Height(1_234),
  round: Round(5),
  blockHash: hash(0x35),
  signatures,
}
export const polkaCertificate: PolkaCertificate = { height: Height(1_234), round: Round(5), valueId: hash(0x36), signatures }
export const roundCertificate: RoundCertificate = {
  height: Height(1_234),
  round: Round(5),
  reason: 'skip',
  votes: [
    { kind: 'prevote', valueId: hash(0x37), validator: address(0x38), signature: signature(0x39) },
    { kind: 'precommit', valueId: undefined, validator: address(0x38), signature: signature(0x3a) },
  ],
}

export const votesEvidence: Evidence = { kind: 'votes', first: { ...vote, valueId: undefined }, second: vote }
export const proposalsEvidence: Evidence = { kind: 'proposals', first: proposal, second: { ...proposal, valueId: hash(0x27) } }

export const transactions: readonly Uint8Array[] = [fixed(100, 0x41), fixed(12, 0x42)]
export const compactBlock: CompactBlock = { header, transactionHashes: [hash(0x43), hash(0x44)] }

const receipt: Receipt = {
  status: 1,
  gasUsed: Gas(21_000),
  cumulativeGasUsed: Gas(63_000),
  logs: [log],
  errorData: new Uint8Array(0),
  contractAddress: address(0x51),
  payer: address(0x52),
}
const failedReceipt: Receipt = { ...receipt, status: 0, logs: [], errorData: fixed(4, 0x53), contractAddress: undefined }

const validator = (n: number, power: number) => ({
  id: idOfName(`v-${n}`)!,
  address: address(n),
  publicKey: publicKeyOf(crypto.publicKey(fixed(32, n))!),
  power: Power(power),
  feeAddress: address(n + 1),
})
export const validators = createValidatorSet([validator(0x61, 1), validator(0x63, 2 ** 32)])

const [bankA, bankB] = [idOfName('bank-a')!, idOfName('bank-b')!] as const

export const nodes: readonly RegisteredNode[] = [
  {
    peerId: 'peer-a',
    kind: 'validator',
    organisation: bankA,
    addresses: ['/ip4/10.0.0.1/tcp/26656', '/dns4/a.example/tcp/26656'],
  },
  { peerId: 'peer-b', kind: 'observer', organisation: bankB, addresses: [] },
]

export const accountEntry: AccountEntry = {
  organisation: bankA,
  roles: ROLES.sender | ROLES.operator,
  expiry: 1_800_000_000,
  suspended: true,
}
export const organisation: Organisation = {
  name: 'Bank Å',
  suspended: true,
  votes: 3,
  share: 5,
  grantable: ROLES.sender,
  members: 7,
  voters: 2,
  checkpoints: 4,
}
export const votesCheckpoint: VotesCheckpoint = { height: 1_234, votes: 9 }
export const totals: OrganisationTotals = { organisations: 2, votes: 9, checkpoints: 4 }
export const policies: Policies = { sending: 'members', deploying: 'open', reading: 'members' }
export const governance: Governance = {
  governor: address(0x65),
  offer: { to: address(0x66), lastHeight: Height(1_300) },
  participants: [address(0x67), address(0x68)],
}
export const roster: readonly RosterEntry[] = [0x61, 0x63]
  .map((n) => ({
    ...validator(n, n),
    organisation: bankA,
    peerIds: ['peer-a'],
    readyAt: Height(1_200),
    changedAt: Height(1_100),
    rotatedAt: Height(1_000),
    equivocated: n === 0x63,
  }))
  .toSorted((a, b) => (a.id < b.id ? -1 : 1))
export const schedule: Schedule = {
  haltHeight: Height(1_400),
  upgrade: { height: Height(1_500), executionVersion: hash(0x6a) },
}
const consortium: Consortium = {
  organisations: [
    { id: bankA, name: 'Bank Å', votes: 3, share: 5, grantable: ROLES.sender },
    { id: bankB, name: 'Bank B', votes: 1, share: 1, grantable: DEFAULT_GRANTABLE },
  ],
  accounts: [{ address: address(0x69), organisation: bankB, roles: ROLES.voter, expiry: 0 }],
  seats: roster.map(({ id }, i) => ({ id, organisation: bankA, peerIds: i === 0 ? ['peer-a'] : [] })),
  governor: address(0x65),
  participants: [address(0x67)],
  policies,
}

const genesis: Genesis = {
  chainId: 31_337 as ChainId,
  timeMs: TimeMs(1_700_000_000_000),
  development: true,
  executionVersion: hash(0x71),
  parameters: DEFAULT_PARAMETERS,
  validators,
  nodes,
  consortium,
  alloc: [{ address: address(0x72), balance: Wei(10n ** 24n) }],
  systemContracts: [{ address: address(0x73), code: fixed(9, 0x74) }],
  restart: undefined,
}

export const domain: SigningDomain = { genesisHash: hash(0x75), restartEpoch: 3 }

const proof: StateProof = {
  siblings: [fixed(32, 0x81), undefined, fixed(32, 0x82)],
  terminal: { kind: 'other', key: fixed(32, 0x83), valueHash: fixed(32, 0x84) },
}

const container: ContractContainer = {
  upgradeAuthority: { kind: 'account', address: address(0x77) },
  reentrantSelectors: [0x78, 0xffff_fffe],
  compiler: 'compiler 1.2',
  source: "export default { fallback: () => 'ä€😀' }",
  abi: [
    { type: 'constructor', inputs: [{ name: 'a', type: 'uint256' }], stateMutability: 'payable' },
    {
      type: 'function',
      name: 'f',
      inputs: [{ name: 'p', type: 'tuple[2]', components: [{ name: '', type: 'bytes4' }] }],
      outputs: [{ name: '', type: 'string' }],
      stateMutability: 'view',
    },
    { type: 'event', name: 'E', inputs: [{ name: 'i', type: 'int24', indexed: true }], anonymous: true },
    { type: 'error', name: 'R', inputs: [] },
    { type: 'fallback', stateMutability: 'nonpayable' },
    { type: 'receive', stateMutability: 'payable' },
  ],
  sourceMap: fixed(3, 0x79),
}

const account = { nonce: 7 as Nonce, balance: Wei(10n ** 18n), codeHash: hash(0xa1) }

/** Samples of every codec that the protocol exports, by its name. */
export const protocolCodecs: Samples = {
  accountEntryCodec: codec.encode(accountEntryCodec, accountEntry),
  accountCodec: codec.encode(accountCodec, account),
  'accountCodec without code': codec.encode(accountCodec, { ...account, codeHash: undefined }),
  bodyCodec: codec.encode(bodyCodec, transactions),
  certifiedBlockCodec: codec.encode(certifiedBlockCodec, { header, transactions, certificate: commitCertificate }),
  commitCertificateCodec: codec.encode(commitCertificateCodec, commitCertificate),
  compactBlockCodec: codec.encode(compactBlockCodec, compactBlock),
  consortiumCodec: codec.encode(consortiumCodec, consortium),
  evidenceCodec: codec.encode(evidenceCodec, votesEvidence),
  'evidenceCodec of proposals': codec.encode(evidenceCodec, proposalsEvidence),
  governanceCodec: codec.encode(governanceCodec, governance),
  'governanceCodec without an offer': codec.encode(governanceCodec, { ...governance, offer: undefined }),
  headerCodec: codec.encode(headerCodec, header),
  'headerCodec of genesis': codec.encode(headerCodec, genesisHeader),
  logCodec: codec.encode(logCodec, log),
  nodeDetailsCodec: codec.encode(nodeDetailsCodec, nodes[0]!),
  nodeEntriesCodec: codec.encode(nodeEntriesCodec, nodes),
  nodeRegistryCodec: codec.encode(nodeRegistryCodec, nodes),
  organisationCodec: codec.encode(organisationCodec, organisation),
  organisationTotalsCodec: codec.encode(organisationTotalsCodec, totals),
  parametersCodec: codec.encode(parametersCodec, DEFAULT_PARAMETERS),
  'parametersCodec of a chain with fees': codec.encode(parametersCodec, { ...DEFAULT_PARAMETERS, feePolicy: 'to-proposer' }),
  policiesCodec: codec.encode(policiesCodec, policies),
  scheduleCodec: codec.encode(scheduleCodec, schedule),
  polkaCertificateCodec: codec.encode(polkaCertificateCodec, polkaCertificate),
  proposalCodec: codec.encode(proposalCodec, proposal),
  'proposalCodec of a fresh one': codec.encode(proposalCodec, { ...proposal, polRound: undefined }),
  publicKeyCodec: codec.encode(publicKeyCodec, validators.validators[0]!.publicKey),
  rawBlockCodec: codec.encode(rawBlockCodec, { header, transactions }),
  receiptCodec: codec.encode(receiptCodec, receipt),
  'receiptCodec of a failure': codec.encode(receiptCodec, failedReceipt),
  receiptsCodec: codec.encode(receiptsCodec, [receipt, failedReceipt]),
  rosterCodec: codec.encode(rosterCodec, roster),
  rosterEntryCodec: codec.encode(rosterEntryCodec, roster[0]!),
  roundCertificateCodec: codec.encode(roundCertificateCodec, roundCertificate),
  'roundCertificateCodec of precommits': codec.encode(roundCertificateCodec, {
    ...roundCertificate,
    reason: 'precommit-any',
    votes: roundCertificate.votes.slice(1),
  }),
  signingDomainCodec: codec.encode(signingDomainCodec, domain),
  stateProofCodec: codec.encode(stateProofCodec, proof),
  'stateProofCodec of membership': codec.encode(stateProofCodec, { siblings: [], terminal: { kind: 'key' } }),
  'stateProofCodec of an empty subtree': codec.encode(stateProofCodec, { ...proof, terminal: { kind: 'empty' } }),
  upgradeAuthorityCodec: codec.encode(upgradeAuthorityCodec, { kind: 'account', address: address(0xa3) }),
  'upgradeAuthorityCodec of nobody': codec.encode(upgradeAuthorityCodec, { kind: 'none' }),
  'upgradeAuthorityCodec of the deployer': codec.encode(upgradeAuthorityCodec, { kind: 'deployer' }),
  validatorCodec: codec.encode(validatorCodec, validators.validators[1]!),
  validatorSetCodec: codec.encode(validatorSetCodec, validators),
  voteCodec: codec.encode(voteCodec, vote),
  votesCheckpointCodec: codec.encode(votesCheckpointCodec, votesCheckpoint),
  'voteCodec for nil': codec.encode(voteCodec, nilVote),
}

/** Hashed and signed data, in addition to the encodings. */
export const protocolHashes: Samples = {
  'contract container': encodeContainer(container),
  'contract container without an authority': encodeContainer({ ...container, upgradeAuthority: { kind: 'none' } }),
  'contract container of its deployer': encodeContainer({ ...container, upgradeAuthority: { kind: 'deployer' } }),
  'contract address': hexToBytes(contractAddress(crypto, address(0x7a), 300 as Nonce)),
  'contract address with a salt': hexToBytes(saltedContractAddress(crypto, address(0x7a), fixed(32, 0x7b), fixed(32, 0x7c))),
  'init code hash of a clone': cloneInitCodeHash(crypto, hash(0x7d), fixed(5, 0x7e)),
  'contract address of a clone': hexToBytes(
    saltedContractAddress(crypto, address(0x7a), fixed(32, 0x7b), cloneInitCodeHash(crypto, hash(0x7d), fixed(5, 0x7e))),
  ),
  'block hash': hexToBytes(headerHash(crypto, header)),
  'header RLP': headerRlp(crypto, header),
  'mixHash of genesis': hexToBytes(headerMixHash(crypto, genesisHeader)),
  'genesis digest': hexToBytes(genesisDigest(crypto, genesis)),
  'validator set hash': hexToBytes(validatorSetHash(crypto, validators)),
  'digest of a precommit': voteDigest(crypto, domain, vote),
  'digest of a prevote for nil': voteDigest(crypto, domain, nilVote),
  'digest of a proposal': proposalDigest(crypto, domain, proposal),
  'digest of a handshake': signingDigest(crypto, domain, 'handshake', codec.fixedBytes(4), fixed(4, 0x76)),
  'digest of a proof that a key is in use': readyDigest(crypto, domain, accountEntry.organisation, Height(1_234)),
  'digest of a rotation': rotationDigest(crypto, domain, accountEntry.organisation, address(0x7f)),
  'transactionsRoot of five': transactionsRoot(crypto, [1, 2, 3, 4, 5].map(hash)),
  'receiptsRoot of two': receiptsRoot(crypto, [receipt, failedReceipt]),
  'merkleRoot of none': merkleRoot(crypto, []),
  bloom: header.logsBloom,
  'tree key': treeKey(crypto, utf8ToBytes('flat key')),
  'state value hash': stateValueHash(crypto, utf8ToBytes('value')),
  'tree leaf': leafNode(crypto, fixed(32, 0x85), fixed(32, 0x86)),
}

/** Transactions signed by viem: Ethereum's formats, which this chain only reads. */
export async function transactionSamples(): Promise<Samples> {
  const account = privateKeyToAccount(bytesToHex(fixed(32, 0x91)))
  const common = { chainId: 31_337, nonce: 7, gas: 21_000n, to: address(0x92), value: 10n ** 18n, data: '0x93' } as const
  const accessList = [{ address: address(0x94), storageKeys: [hash(0x95)] }]
  const sign = async (...args: Parameters<typeof account.signTransaction>) => hexToBytes(await account.signTransaction(...args))
  return {
    'transaction of type 0': await sign({ type: 'legacy', gasPrice: 5n, ...common }),
    'transaction of type 1': await sign({ type: 'eip2930', gasPrice: 5n, accessList, ...common }),
    'transaction of type 2': await sign({ type: 'eip1559', maxFeePerGas: 5n, maxPriorityFeePerGas: 2n, accessList, ...common }),
  }
}
