import { Command, InvalidArgumentError, Option } from 'commander'
import type { AccountListOptions, AccountOptions } from './accounts.ts'
import type { OfferOptions } from './governance.ts'
import type { NodeOptions } from './nodes.ts'
import type { OrganisationOptions } from './organisations.ts'
import type { ReadOptions, WriteOptions } from './submit.ts'
import type { RotationOptions, ValidatorKeyOptions, ValidatorOptions } from './validators.ts'

/** The commands over the chain contract. Each loads its code when it runs. */

const DEFAULT_RPC = 'http://127.0.0.1:8545'

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const descriptor = (text: string): number => {
  const fd = Number(text)
  if (!Number.isInteger(fd) || fd < 0 || fd > 1_023)
    throw new InvalidArgumentError('must be the number of an open file descriptor.')
  return fd
}

const blocks = (text: string): number => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('must be a positive integer.')
  return count
}

/** A command that only reads. */
const reading = (command: Command): Command =>
  command
    .addOption(new Option('--rpc <url>', 'RPC URL of a node').default(DEFAULT_RPC).env('QUOIN_RPC'))
    .option('--json', 'print JSON', false)

/** A command that changes the chain. */
const writing = (command: Command): Command =>
  reading(command)
    .option(
      '--key <file>',
      'file of the key that signs: 0x and 64 hex digits, or a keystore; without it the call is only printed',
    )
    .option('--password-file <file>', 'file with the password of the keystore; without it the terminal asks')
    .option('--password-fd <number>', 'file descriptor to read the password of the keystore from', descriptor)
    .option('--dry-run', 'only show what would happen: events and gas, or why the chain refuses it', false)
    .option('--from <address>', 'sender of a dry run, instead of the key')

const ROLES_HELP =
  'separated by commas: admin, voter, sender, deployer, operator, reader, auditor, own names or bit16 to bit31; none'

const group = (program: Command, name: string, description: string): Command => program.command(name).description(description)

export function addPermissionCommands(program: Command): void {
  addOrganisations(program)
  addAccounts(program)
  addNodes(program)
  addValidators(program)
  addRules(program)
  addGovernance(program)
}

function addOrganisations(program: Command): void {
  const org = group(program, 'org', 'organisations of the consortium')
  const load = () => import('./organisations.ts')
  reading(org.command('list').description('list the organisations')).action(async (options: ReadOptions) =>
    (await load()).listOrganisations(options, print),
  )
  reading(org.command('show').description('show an organisation').argument('<name>', 'short name')).action(
    async (name: string, options: ReadOptions) => (await load()).showOrganisation(name, options, print),
  )
  writing(
    org
      .command('set')
      .description('enter an organisation, or change the terms that are given (governor)')
      .argument('<name>', 'short name: a-z, 0-9 and hyphens')
      .option('--name <text>', 'name for people (new: the short name)')
      .option('--votes <number>', 'weight of its vote in governance (new: 1)')
      .option('--share <number>', 'its part of the block space (new: 1)')
      .option('--grantable <roles>', `roles that its admins may give, ${ROLES_HELP} (new: all but admin and voter)`),
  ).action(async (name: string, options: OrganisationOptions) => (await load()).setOrganisation(name, options, print))
  for (const [word, suspended, does] of [
    ['suspend', true, 'stop the accounts of an organisation; its nodes, validators and voters go on (governor)'],
    ['resume', false, 'let the accounts of a suspended organisation act again (governor)'],
  ] as const)
    writing(org.command(word).description(does).argument('<name>', 'short name')).action(
      async (name: string, options: WriteOptions) => (await load()).suspendOrganisation(name, suspended, options, print),
    )
  writing(
    org
      .command('remove')
      .description('remove an organisation without members and votes (governor)')
      .argument('<name>', 'short name'),
  ).action(async (name: string, options: WriteOptions) => (await load()).removeOrganisation(name, options, print))
}

function addAccounts(program: Command): void {
  const account = group(program, 'account', 'accounts and their keys')
  const load = () => import('./accounts.ts')
  addKeyFiles(account)
  reading(
    account
      .command('list')
      .description('list the accounts with an entry')
      .option('--organisation <name>', 'only those of an organisation'),
  ).action(async (options: AccountListOptions) => (await load()).listAccounts(options, print))
  reading(account.command('show').description('show the entry of an account').argument('<address>')).action(
    async (address: string, options: ReadOptions) => (await load()).showAccount(address, options, print),
  )
  writing(
    account
      .command('set')
      .description('enter an account or contract, or change what is given of its entry (governor, or admin of the organisation)')
      .argument('<address>')
      .option('--organisation <name>', 'short name')
      .option('--roles <roles>', `its roles, ${ROLES_HELP}`)
      .option('--expires <time>', 'date or time in UTC from which the entry no longer counts, seconds since 1970, or never'),
  ).action(async (address: string, options: AccountOptions) => (await load()).setAccount(address, options, print))
  for (const [word, suspended, does] of [
    ['suspend', true, 'stop an account (governor, or admin of its organisation)'],
    ['resume', false, 'let a suspended account act again (governor, or admin of its organisation)'],
  ] as const)
    writing(account.command(word).description(does).argument('<address>')).action(
      async (address: string, options: WriteOptions) => (await load()).suspendAccount(address, suspended, options, print),
    )
  writing(
    account
      .command('accept')
      .description('accept the entry that an admin of an organisation has offered to the key of --key')
      .argument('<organisation>', 'short name')
      .option('--contract <address>', 'accept for a contract whose upgrade authority the key is'),
  ).action(async (organisation: string, options: WriteOptions & { contract?: string }) =>
    (await load()).acceptEntry(organisation, options, print),
  )
  writing(
    account
      .command('remove')
      .description('remove the entry of an account (governor, admin of its organisation, or the account itself)')
      .argument('<address>'),
  ).action(async (address: string, options: WriteOptions) => (await load()).removeAccount(address, options, print))
}

interface NewAccountFlags {
  readonly out?: string
  readonly passwordFile?: string
  readonly passwordFd?: number
}

function addKeyFiles(account: Command): void {
  const encrypting = (command: Command): Command =>
    command
      .option('--out <file>', 'file to write; must not exist (default: the address and .json)')
      .option('--password-file <file>', 'file with the password for the new file; without it the terminal asks')
      .option('--password-fd <number>', 'file descriptor to read the password from', descriptor)
  encrypting(
    account.command('new').description('make a key and write it encrypted, for its owner alone (Web3 Secret Storage)'),
  ).action(async (options: NewAccountFlags) => print(await (await import('../keys/new-account.ts')).newAccount(options)))
  encrypting(
    account
      .command('import')
      .description('encrypt the key in a file')
      .argument('<file>', '0x and 64 hex digits, or another keystore'),
  ).action(async (file: string, options: NewAccountFlags) =>
    print(await (await import('../keys/new-account.ts')).importAccount(file, options)),
  )
}

function addNodes(program: Command): void {
  const node = group(program, 'node', 'machines that the network admits')
  const load = () => import('./nodes.ts')
  reading(node.command('list').description('list the nodes')).action(async (options: ReadOptions) =>
    (await load()).listNodes(options, print),
  )
  reading(node.command('show').description('show a node').argument('<peer-id>')).action(
    async (peerId: string, options: ReadOptions) => (await load()).showNode(peerId, options, print),
  )
  writing(
    node
      .command('set')
      .description('register a node, or change what is given of it (governor; an admin registers observers of its organisation)')
      .argument('<peer-id>')
      .addOption(new Option('--kind <kind>', 'what it is for (new: observer)').choices(['validator', 'observer']))
      .option('--organisation <name>', 'short name')
      .option('--address <multiaddresses...>', 'addresses at which others reach it, such as /ip4/10.0.0.1/tcp/26656'),
  ).action(async (peerId: string, options: NodeOptions) => (await load()).setNode(peerId, options, print))
  writing(
    node
      .command('addresses')
      .description('set the addresses of a node (governor, or operator of its organisation)')
      .argument('<peer-id>')
      .argument('<multiaddresses...>'),
  ).action(async (peerId: string, addresses: readonly string[], options: WriteOptions) =>
    (await load()).setNodeAddresses(peerId, addresses, options, print),
  )
  writing(
    node
      .command('remove')
      .description('remove a node on which no validator votes (governor; an admin removes observers of its organisation)')
      .argument('<peer-id>'),
  ).action(async (peerId: string, options: WriteOptions) => (await load()).removeNode(peerId, options, print))
}

function addValidators(program: Command): void {
  const validator = group(program, 'validator', 'validators and their keys')
  const load = () => import('./validators.ts')
  reading(validator.command('list').description('list the validators')).action(async (options: ReadOptions) =>
    (await load()).listValidators(options, print),
  )
  reading(validator.command('show').description('show a validator').argument('<name>', 'short name')).action(
    async (name: string, options: ReadOptions) => (await load()).showValidator(name, options, print),
  )
  writing(
    validator
      .command('add')
      .description('add a validator (governor); it gets its power once its key was ready')
      .argument('<name>', 'short name; it stays when the key changes')
      .requiredOption('--organisation <name>', 'short name')
      .requiredOption('--public-key <hex>', 'its public key, as quoin keys prints it')
      .requiredOption('--node <peer-ids...>', '1 to 4 registered nodes of the organisation, on which it runs')
      .option('--power <number>', 'voting power', '1')
      .option('--fee-address <address>', 'address that gets the fees of its blocks (default: that of its key)'),
  ).action(async (name: string, options: ValidatorOptions) => (await load()).addValidator(name, options, print))
  addValidatorTerms(validator)
  addValidatorKeys(validator)
  writing(
    validator
      .command('remove')
      .description('remove a validator that has left the set (governor)')
      .argument('<name>', 'short name'),
  ).action(async (name: string, options: WriteOptions) => (await load()).removeValidator(name, options, print))
}

function addValidatorTerms(validator: Command): void {
  const load = () => import('./validators.ts')
  writing(
    validator
      .command('power')
      .description('set the voting power of a validator (governor); 0 takes it out of the set')
      .argument('<name>', 'short name')
      .argument('<power>'),
  ).action(async (name: string, power: string, options: WriteOptions) => (await load()).setPower(name, power, options, print))
  writing(
    validator
      .command('fee')
      .description('set the address that gets the fees of a validator (governor, or operator of its organisation)')
      .argument('<name>', 'short name')
      .argument('<address>'),
  ).action(async (name: string, address: string, options: WriteOptions) =>
    (await load()).setFeeAddress(name, address, options, print),
  )
  writing(
    validator
      .command('peers')
      .description('set the nodes on which a validator runs (governor, or operator of its organisation)')
      .argument('<name>', 'short name')
      .argument('<peer-ids...>'),
  ).action(async (name: string, peerIds: readonly string[], options: WriteOptions) =>
    (await load()).setPeerIds(name, peerIds, options, print),
  )
}

function addValidatorKeys(validator: Command): void {
  const load = () => import('./validators.ts')
  writing(
    validator
      .command('rotate')
      .description('put a new key in the place of the key of a validator (governor, or operator of its organisation)')
      .argument('<name>', 'short name')
      .option('--new-key-out <file>', 'make the new key, and write it to this new file')
      .option('--new-key <file>', 'file with the new key')
      .option('--validator-password-file <file>', 'file with the password of --new-key, if it is encrypted'),
  ).action(async (name: string, options: RotationOptions) => (await load()).rotateKey(name, options, print))
  writing(
    validator
      .command('ready')
      .description('prove with the key of a validator that it is in use; anybody may send the proof')
      .argument('[name]', 'short name (default: the validator that has the key)')
      .addOption(
        new Option('--data-dir <directory>', 'data directory of the node, with its key').default('.').env('QUOIN_DATA_DIR'),
      )
      .option('--validator-key <file>', 'file of the key, instead of that in the data directory')
      .option('--validator-password-file <file>', 'file with the password of the key, if it is encrypted'),
  ).action(async (name: string | undefined, options: WriteOptions & ValidatorKeyOptions) =>
    (await load()).proveReady(name, options, print),
  )
}

function addRules(program: Command): void {
  const load = () => import('./rules.ts')
  const param = group(program, 'param', 'parameters of the chain')
  reading(param.command('list').description('list the parameters')).action(async (options: ReadOptions) =>
    (await load()).listParameters(options, print),
  )
  writing(
    param
      .command('set')
      .description('change a parameter from the next block on (governor)')
      .argument('<name>')
      .argument('<value>'),
  ).action(async (name: string, value: string, options: WriteOptions) => (await load()).setParameter(name, value, options, print))
  const policy = group(program, 'policy', 'who may send, deploy and read')
  reading(policy.command('list').description('list the policies')).action(async (options: ReadOptions) =>
    (await load()).listPolicies(options, print),
  )
  writing(
    policy
      .command('set')
      .description('change a policy from the next block on (governor)')
      .argument('<name>', 'sending, deploying or reading')
      .argument('<access>', 'open or members'),
  ).action(async (name: string, access: string, options: WriteOptions) => (await load()).setPolicy(name, access, options, print))
  const role = group(program, 'role', 'names of roles')
  reading(role.command('list').description('list the roles that have a name')).action(async (options: ReadOptions) =>
    (await load()).listRoles(options, print),
  )
  writing(
    role
      .command('set')
      .description("name one of the consortium's own roles (governor); an empty name takes it away")
      .argument('<bit>', 'bit16 to bit31')
      .argument('<name>'),
  ).action(async (bit: string, name: string, options: WriteOptions) => (await load()).setRoleName(bit, name, options, print))
  const contract = group(program, 'contract', 'who may call a contract')
  reading(contract.command('show').description('show which roles may call a contract').argument('<address>')).action(
    async (address: string, options: ReadOptions) => (await load()).showContract(address, options, print),
  )
  writing(
    contract
      .command('restrict')
      .description('let only callers with one of some roles call a contract (governor, or its upgrade authority)')
      .argument('<address>')
      .argument('<roles>', `${ROLES_HELP}: everybody may call`),
  ).action(async (address: string, roles: string, options: WriteOptions) =>
    (await load()).restrictContract(address, roles, options, print),
  )
}

function addGovernance(program: Command): void {
  const gov = group(program, 'gov', 'who governs the chain')
  const load = () => import('./governance.ts')
  reading(gov.command('show').description('show the governor, an offer and the participants')).action(
    async (options: ReadOptions) => (await load()).showGovernance(options, print),
  )
  writing(
    gov
      .command('offer')
      .description('offer governance to an account or contract, which must accept it (governor); a new offer replaces it')
      .argument('<address>')
      .option('--blocks <count>', 'for how many blocks the offer holds', blocks, 1_000)
      .option('--until-block <height>', 'last block in which it can be accepted, instead of --blocks'),
  ).action(async (to: string, options: OfferOptions) => (await load()).offerGovernance(to, options, print))
  writing(gov.command('accept').description('accept governance with the key to which it is offered')).action(
    async (options: WriteOptions) => (await load()).acceptGovernance(options, print),
  )
  writing(
    gov
      .command('participants')
      .description(
        'set the accounts that always reach the governor: the owners of a multisignature (governor); none clears the list',
      )
      .argument('[addresses...]'),
  ).action(async (addresses: readonly string[], options: WriteOptions) =>
    (await load()).setParticipants(addresses, options, print),
  )
}
