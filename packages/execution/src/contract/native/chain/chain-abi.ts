import type { Abi, AbiItem, AbiParameter } from '@quoin/protocol'
import { nativeFunction } from '../native.ts'

type Input = readonly [type: string, name: string]

const parameters = (inputs: readonly Input[]): readonly AbiParameter[] => inputs.map(([type, name]) => ({ type, name }))
const does = (name: string, ...inputs: readonly Input[]): AbiItem => nativeFunction(name, 'nonpayable', parameters(inputs))
const tells = (name: string, inputs: readonly Input[], ...outputs: readonly Input[]): AbiItem =>
  nativeFunction(name, 'view', parameters(inputs), parameters(outputs))
const error = (name: string, ...inputs: readonly Input[]): AbiItem => ({ type: 'error', name, inputs: parameters(inputs) })

/** The first `indexed` parameters are indexed. */
const event = (name: string, indexed: number, ...inputs: readonly Input[]): AbiItem => ({
  type: 'event',
  name,
  inputs: parameters(inputs).map((input, i) => ({ ...input, indexed: i < indexed })),
  anonymous: false,
})

const ID: Input = ['bytes32', 'id']
const ORGANISATION: Input = ['bytes32', 'organisation']
const ACCOUNT: Input = ['address', 'account']
const PEER_ID: Input = ['string', 'peerId']
const ROLES: Input = ['uint32', 'roles']
const HEIGHT: Input = ['uint64', 'height']
const NAME: Input = ['string', 'name']
const ADDRESSES: Input = ['string[]', 'addresses']
const PEER_IDS: Input = ['string[]', 'peerIds']
const PUBLIC_KEY: Input = ['bytes', 'publicKey']
const SIGNATURE: Input = ['bytes', 'signature']
const POWER: Input = ['uint64', 'power']
const FEE_ADDRESS: Input = ['address', 'feeAddress']
const SUSPENDED: Input = ['bool', 'suspended']
const EXPIRY: Input = ['uint64', 'expiry']
const TARGET: Input = ['address', 'target']
const CODE_HASH: Input = ['bytes32', 'codeHash']
const APPROVAL: readonly Input[] = [CODE_HASH, ['bytes32', 'dataHash'], ['uint64', 'lastHeight']]
const KIND: Input = ['string', 'kind']
const EVIDENCE_HASH: Input = ['bytes32', 'evidenceHash']
const ROUND: Input = ['uint32', 'round']
const TAKEN: readonly Input[] = [EVIDENCE_HASH, ['uint64', 'takenAt'], ['address', 'reporter']]

/** Fields of an organisation that governance decides. */
const TERMS: readonly Input[] = [NAME, ['uint32', 'votes'], ['uint32', 'share'], ['uint32', 'grantable']]
const ENTRY: readonly Input[] = [ORGANISATION, ROLES, EXPIRY, SUSPENDED]

/**
 * Functions of the chain contract, in groups: who governs; organisations; accounts; nodes; validators; evidence; parameters, policies and
 * roles; the schedule; restrictions; code of system contracts. `docs/permissions.md` says who may call which.
 */
export const CHAIN_ABI: Abi = [
  does('offerGovernor', ['address', 'to'], ['uint64', 'lastHeight']),
  does('acceptGovernor'),
  does('setParticipants', ['address[]', 'participants']),
  tells('governor', [], ['address', 'governor']),
  tells('governorOffer', [], ['address', 'to'], ['uint64', 'lastHeight']),
  tells('participants', [], ['address[]', 'participants']),

  does('setOrganisation', ID, ...TERMS),
  does('suspendOrganisation', ID, SUSPENDED),
  does('removeOrganisation', ID),
  tells('organisation', [ID], ['bool', 'exists'], ...TERMS, SUSPENDED, ['uint32', 'members'], ['uint32', 'voters']),
  tells('votesAt', [ID, HEIGHT], ['uint64', 'votes']),
  tells('totalVotesAt', [HEIGHT], ['uint64', 'votes']),

  does('setAccount', ACCOUNT, ...ENTRY),
  does('removeAccount', ACCOUNT),
  does('acceptEntry', ORGANISATION),
  does('acceptEntryOf', ['address', 'target'], ORGANISATION),
  tells('account', [ACCOUNT], ['bool', 'exists'], ...ENTRY),
  tells('offeredEntry', [ACCOUNT, ORGANISATION], ['bool', 'exists'], ...ENTRY),
  tells('standingOf', [ACCOUNT], ['string', 'standing']),
  tells('hasRole', [ACCOUNT, ROLES], ['bool', 'has']),
  tells('votesAs', [ACCOUNT], ORGANISATION),

  does('setNode', PEER_ID, KIND, ORGANISATION, ADDRESSES),
  does('setNodeAddresses', PEER_ID, ADDRESSES),
  does('removeNode', PEER_ID),
  tells('node', [PEER_ID], ['bool', 'exists'], KIND, ORGANISATION, ADDRESSES),

  does('addValidator', ID, ORGANISATION, PUBLIC_KEY, POWER, FEE_ADDRESS, PEER_IDS),
  does('setPower', ID, POWER),
  does('setFeeAddress', ID, FEE_ADDRESS),
  does('setPeerIds', ID, PEER_IDS),
  does('rotateKey', ID, PUBLIC_KEY, SIGNATURE),
  does('ready', ID, HEIGHT, SIGNATURE),
  does('removeValidator', ID),
  tells(
    'validator',
    [ID],
    ['bool', 'exists'],
    ORGANISATION,
    PUBLIC_KEY,
    POWER,
    FEE_ADDRESS,
    PEER_IDS,
    ['uint64', 'readyAt'],
    ['bool', 'equivocated'],
    ['uint64', 'powerNext'],
    ['uint64', 'powerAfterNext'],
  ),

  does('reportEquivocation', ['bytes', 'evidence']),
  tells('equivocation', [ID, HEIGHT, ROUND, KIND], ['bool', 'exists'], ...TAKEN),
  tells('firstEquivocation', [ID], ['bool', 'exists'], HEIGHT, ROUND, KIND, ...TAKEN),

  does('setParameter', NAME, ['uint256', 'value']),
  does('setPolicy', NAME, ['string', 'access']),
  does('setRoleName', ['uint8', 'bit'], NAME),
  tells('parameter', [NAME], ['uint256', 'value']),
  tells('policy', [NAME], ['string', 'access']),
  tells('roleName', [['uint8', 'bit']], NAME),

  does('scheduleUpgrade', HEIGHT, ['bytes32', 'executionVersion']),
  does('setHaltHeight', HEIGHT),
  tells('schedule', [], ['uint64', 'haltHeight'], ['uint64', 'upgradeHeight'], ['bytes32', 'executionVersion']),

  does('restrict', ['address', 'target'], ROLES),
  tells('restriction', [['address', 'target']], ROLES),

  does('approveCode', TARGET, ...APPROVAL),
  does('withdrawCode', TARGET),
  does('applyCode', TARGET, ['bytes', 'container'], ['bytes', 'data']),
  tells('approvedCode', [TARGET], ['bool', 'exists'], ...APPROVAL),

  event('GovernorOffered', 1, ['address', 'to'], ['uint64', 'lastHeight']),
  event('GovernorChanged', 2, ['address', 'before'], ['address', 'governor']),
  event('ParticipantsChanged', 0, ['address[]', 'participants']),
  event('OrganisationChanged', 1, ID, ...TERMS),
  event('OrganisationSuspended', 1, ID, SUSPENDED),
  event('OrganisationRemoved', 1, ID),
  event('AccountChanged', 2, ACCOUNT, ...ENTRY, ['address', 'by']),
  event('AccountOffered', 2, ACCOUNT, ...ENTRY, ['address', 'by']),
  event('AccountRemoved', 2, ACCOUNT, ORGANISATION, ['address', 'by']),
  event('NodeChanged', 1, ORGANISATION, PEER_ID, KIND, ADDRESSES, ['address', 'by']),
  event('NodeRemoved', 1, ORGANISATION, PEER_ID, ['address', 'by']),
  event('ValidatorAdded', 2, ID, ORGANISATION, PUBLIC_KEY, POWER, FEE_ADDRESS, PEER_IDS),
  event('PowerChanged', 1, ID, POWER),
  event('FeeAddressChanged', 1, ID, FEE_ADDRESS),
  event('PeerIdsChanged', 1, ID, PEER_IDS),
  event('KeyRotated', 1, ID, PUBLIC_KEY, ['address', 'by']),
  event('ValidatorReady', 1, ID, HEIGHT),
  event('ValidatorRemoved', 1, ID),
  event('Equivocated', 1, ID, HEIGHT, EVIDENCE_HASH, ['address', 'reporter']),
  event('ParameterChanged', 0, NAME, ['uint256', 'before'], ['uint256', 'value']),
  event('PolicyChanged', 0, NAME, ['string', 'access']),
  event('RoleNamed', 1, ['uint8', 'bit'], NAME),
  event('UpgradeScheduled', 0, HEIGHT, ['bytes32', 'executionVersion']),
  event('HaltScheduled', 0, HEIGHT),
  event('RestrictionChanged', 1, ['address', 'target'], ROLES, ['address', 'by']),
  event('CodeApproved', 1, TARGET, ...APPROVAL),
  event('CodeWithdrawn', 1, TARGET),
  event('CodeApplied', 1, TARGET, CODE_HASH, ['address', 'by']),

  /** Only the governor may do this. */
  error('NotGovernor', ['address', 'sender'], ['address', 'governor']),
  /** Neither the governor nor one whose role allows it. */
  error('NotAllowed', ['address', 'sender'], ['string', 'why']),
  error('UnknownOrganisation', ID),
  error('UnknownAccount', ACCOUNT),
  error('UnknownNode', PEER_ID),
  error('UnknownValidator', ID),
  /** The bytes are not evidence: they do not decode, or the two messages do not contradict each other. */
  error('MalformedEvidence', ['string', 'why']),
  /** A signature of the evidence is not of this key, for this chain. */
  error('ForgedEvidence', ['address', 'validator']),
  /** The address never was the key of a validator. */
  error('NotAValidatorKey', ['address', 'validator']),
  /** The evidence is of a height that is not in the range that counts: too old, of the future, or outside the time in which the key voted. */
  error('EvidenceOutOfTime', HEIGHT, ['uint64', 'first'], ['uint64', 'last']),
  /** The validator's contradiction at this place is on the chain. */
  error('AlreadyReported', ID, EVIDENCE_HASH),
  /** A value is malformed or out of its range. */
  error('Invalid', ['string', 'what'], ['string', 'why']),
  /** A message broke a rule of the chain: which roles, of which one would do, its sender lacks. */
  error('NotPermitted', ACCOUNT, ['string', 'rule'], ['uint32', 'lacking']),
  /** The change would break what others rely on, or cannot be made now. */
  error('Refused', ['string', 'why']),
]
