import { type Address, emptyBytes, type Hash, ok, type Result, U32_MAX, U64_SAFE_MAX, U256_MAX, Wei } from '@quoin/protocol'
import { InterpreterFault } from '../fault.ts'
import { credit } from '../state/credit.ts'
import type { Journal } from '../state/journal.ts'
import type { KvOp } from '../state/kv.ts'
import { gasUsedOf, type Ticks } from '../ticks.ts'
import { type CallOutcome, type GuestValue, type HostContext, imageBytes } from '../vm/index.ts'
import type { TupleType } from './abi/type.ts'
import type { Contracts } from './contracts.ts'
import { addressGas, installCode, type NewCode, nextContractAddress, prepareClone, prepareCode } from './creation.ts'
import { type EntryCall, entryFor } from './entry.ts'
import { type Failure, failed, OUT_OF_GAS, outOfGas, type Success, thrown } from './failure.ts'
import type { Frame } from './frame.ts'
import { GasMeter } from './gas-meter.ts'
import { CONTRACT_HANDLERS } from './host/index.ts'
import { keyReadGas, keyWriteGas } from './key-gas.ts'
import { LoadedCodes } from './loaded-codes.ts'
import type { BlockContext, CreationForm, InnerMessage, Message, MessageObserver, MessageOutcome, Sender } from './message.ts'
import { MESSAGE_GAS } from './message-gas.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { type NativeContract, runNative } from './native/native.ts'
import { findNative } from './native/native-contracts.ts'
import type { NativeHost } from './native/native-host.ts'
import { callingRefusal, deployingRefusal } from './permission.ts'
import type { Program } from './program.ts'
import { readRecord, recordUse } from './record.ts'
import { decodeInputs, encodeOutputs, NO_OUTPUTS } from './values.ts'

interface Call {
  readonly from: Address
  readonly to: Address
  readonly value: bigint
  readonly data: Uint8Array
  readonly isStatic: boolean
}

/** How an entry ended, and the last of its own inner messages that failed. */
interface Entered {
  readonly outcome: Exclude<CallOutcome, { kind: 'fault' }>
  readonly cause: Failure | undefined
}

export interface MachineOptions {
  /** Codes that the block has loaded; the machine adds to them. Machines of the same block share them. */
  readonly loaded?: LoadedCodes
  readonly observer?: MessageObserver | undefined
}

const DONE: Result<Success, Failure> = ok({ data: emptyBytes(), contractAddress: undefined })

/**
 * Runs the messages of one block on the block's journal: calls, creations, and messages between contracts. A failed message
 * leaves nothing in the journal except the nonces that creations incremented.
 *
 * Its methods throw InterpreterFault when this machine failed. Discard the journal then.
 */
export class Machine implements NativeHost {
  readonly journal: Journal
  readonly block: BlockContext
  readonly contracts: Contracts
  readonly #loaded: LoadedCodes
  /** Those whose images `imageOps` has not returned yet. */
  readonly #newlyLoaded: Hash[] = []
  /** Call stack, outermost first, native contracts included. A re-entered contract appears once per entry. */
  readonly #underWay: Address[] = []
  readonly #observer: MessageObserver | undefined
  #course = ''

  constructor(contracts: Contracts, journal: Journal, block: BlockContext, options: MachineOptions = {}) {
    this.contracts = contracts
    this.journal = journal
    this.block = block
    this.#loaded = options.loaded ?? new LoadedCodes()
    this.#observer = options.observer
  }

  /** Runs a transaction's message. Intrinsic gas and fee are handled by the caller. */
  run(message: Message): MessageOutcome {
    const onEnd = this.#observer?.({ ...message, isStatic: false })
    const outcome = this.#run(message)
    onEnd?.(outcome)
    return outcome
  }

  #run({ from, to, value, data, gas }: Message): MessageOutcome {
    this.#underWay.length = 0
    this.#course = ''
    // The intrinsic gas pays for changing the sender's account, and for reading the receiver's account and record.
    this.journal.beginTransaction(from)
    if (to !== undefined && this.journal.account(to).codeHash !== undefined) readRecord(this.journal, to)
    const meter = new GasMeter(gas, undefined)
    return to === undefined
      ? this.#create(meter, from, value, data, NO_FORM, undefined)
      : this.#call(meter, { from, to, value, data, isStatic: false }, undefined)
  }

  /**
   * Installs a contract of genesis at its fixed address and runs its constructor, as a transaction of its own would. Its logs are dropped:
   * block 0 has no receipts.
   *
   * @param data a container, and the constructor's arguments after it
   * @param gas limit of the constructor, in ticks. Making the code is not limited
   */
  found(address: Address, deployer: Address, data: Uint8Array, gas: Ticks): Result<unknown, Failure> {
    this.#underWay.length = 0
    this.journal.beginTransaction(deployer)
    const made = prepareCode(this, new GasMeter(U64_SAFE_MAX, undefined), data, undefined)
    if (!made.ok) return made
    this.markLoaded(made.value.codeHash, made.value.program)
    installCode(this.contracts, this.journal, this.block.number, address, deployer, made.value)
    return this.#construct(new GasMeter(gas, undefined), made.value, address, deployer, 0n, undefined)
  }

  /**
   * How the messages of the last run began and ended, in order and nested: each is a `(`, then `+` if it succeeded, `0` if it
   * failed and used up all of its gas, `-` if it failed otherwise. Two runs with the same course did the same, unless a contract
   * reads how much gas is left.
   */
  get course(): string {
    return this.#course
  }

  /** Database writes for images that are not stored yet, of the codes used since the last call. */
  imageOps(): readonly KvOp[] {
    return this.contracts.programs.storeOps(this.#newlyLoaded.splice(0))
  }

  isUnderWay(address: Address): boolean {
    return this.#underWay.includes(address)
  }

  /** Whether the block has paid for a code's load. An arrow function, because it is passed on alone. */
  readonly isLoaded = (codeHash: Hash): boolean => this.#loaded.has(codeHash)

  /** Records a use of a code whose program is at hand: it was created, or it is called. */
  markLoaded(codeHash: Hash, { image }: Program): void {
    if (this.#loaded.use(codeHash, imageBytes(image))) this.#newlyLoaded.push(codeHash)
  }

  /**
   * Sends a message of a contract that is on the call stack.
   *
   * @param host innermost frame of a guest, if there is one; it pays for the message. A native sender counts the gas itself
   */
  send(sender: Sender, message: InnerMessage, host: HostContext | undefined): MessageOutcome {
    const { address: from, gasLeft } = sender
    const { gas } = message
    const most = gasLeft - Math.floor(gasLeft / MESSAGE_LIMITS.gasKept)
    const meter = new GasMeter(gas === undefined || gas > most ? most : gas, host)
    const onEnd = this.#observer?.({ ...message, from, gas: meter.limit })
    const outcome = this.#deliver(meter, sender, message, host)
    onEnd?.(outcome)
    return outcome
  }

  #deliver(
    meter: GasMeter,
    sender: Sender,
    { to, value, data, isStatic, form = NO_FORM }: InnerMessage,
    host: HostContext | undefined,
  ): MessageOutcome {
    const from = sender.address
    if (!meter.take(this.#accountsGas(from, to, value))) return this.#settle(meter, () => OUT_OF_GAS)
    if (to === undefined) return this.#create(meter, from, value, data, form, host)
    return this.#call(meter, { from, to, value, data, isStatic: isStatic || sender.isStatic }, host)
  }

  /**
   * Price of the accounts that a message uses: the receiver is read, the sender changes if it sends value or creates, the
   * receiver changes if it gets value.
   */
  #accountsGas(from: Address, to: Address | undefined, value: bigint): Ticks {
    const { journal } = this
    const written = keyWriteGas(journal.accountUse(from))
    if (to === undefined) return value > 0n ? MESSAGE_GAS.value + written : written
    if (value > 0n) return MESSAGE_GAS.value + written + (to === from ? 0 : keyWriteGas(journal.accountUse(to)))
    return findNative(to) === undefined ? keyReadGas(journal.accountUse(to)) : 0
  }

  /** Runs an action, reverts its changes if it fails, and accounts for its gas. */
  #settle(meter: GasMeter, action: () => Result<Success, Failure>): MessageOutcome {
    const start = this.journal.checkpoint()
    this.#course += '('
    const result = this.#underWay.length < MESSAGE_LIMITS.callDepthMax ? action() : TOO_DEEP
    if (!result.ok) this.journal.revert(start)
    this.#course += result.ok ? '+' : meter.left === 0 ? '0' : '-'
    meter.settle()
    return result.ok ? { ok: true, gasUsed: meter.used, ...result.value } : { ok: false, gasUsed: meter.used, ...result.error }
  }

  #call(meter: GasMeter, call: Call, host: HostContext | undefined): MessageOutcome {
    return this.#settle(meter, () => {
      const problem = this.#move(call.from, call.to, call.value, call.isStatic)
      if (problem !== undefined) return failed(problem)
      const native = findNative(call.to)
      if (native !== undefined) return this.#callNative(native, meter, call, host)
      const { codeHash } = this.journal.account(call.to)
      return codeHash === undefined ? DONE : this.#callContract(meter, call, codeHash, host)
    })
  }

  #callNative(native: NativeContract, meter: GasMeter, call: Call, host: HostContext | undefined): Result<Success, Failure> {
    this.#underWay.push(native.address)
    const outcome = runNative(native, this, meter, call, host)
    this.#underWay.pop()
    return outcome
  }

  #callContract(meter: GasMeter, call: Call, codeHash: Hash, host: HostContext | undefined): Result<Success, Failure> {
    const { to, from, value, data, isStatic } = call
    if (!meter.take(MESSAGE_GAS.call + keyReadGas(recordUse(this.journal, to)))) return OUT_OF_GAS
    const record = readRecord(this.journal, to)
    if (record === undefined) return failed(`the account ${to} has code but no contract record`)
    if (!this.#loaded.has(codeHash) && !meter.take(record.loadGas)) return OUT_OF_GAS
    const program = this.contracts.programs.get(codeHash, () => this.journal.peekCode(codeHash)!)
    this.markLoaded(codeHash, program)
    const found = entryFor(program, data, value, isStatic)
    if (!found.ok) return failed(found.error)
    const entry = found.value
    if (entry.access === 'write') {
      if (record.paused) return failed(`the contract ${to} is paused`)
      const refused = callingRefusal(this.#judged(meter), from, record.callers)
      if (refused !== undefined) return refused
      if (!entry.isReentrant && this.isUnderWay(to))
        return failed(
          `reentrant call refused: the contract ${to} is on the call stack and the called function is not listed as reentrant`,
        )
    }
    const values = this.#valuesOf(meter, entry.inputs, entry.data)
    if (!values.ok) return values
    const { name, access, outputs } = entry
    return this.enter(meter, { program, name, values: values.value, access, self: to, sender: from, value, outputs }, host)
  }

  /** Decodes the arguments; without types the calldata is the only argument. */
  #valuesOf(
    meter: GasMeter,
    inputs: TupleType | undefined,
    data: Uint8Array | undefined,
  ): Result<readonly GuestValue[], Failure> {
    if (data === undefined) return ok([])
    return inputs === undefined ? ok([data]) : decodeInputs(this.contracts.crypto, meter, inputs, data)
  }

  /** Runs one entry of a contract in its own frame and encodes its result. */
  enter(meter: GasMeter, call: EntryCall, host: HostContext | undefined): Result<Success, Failure> {
    const { outcome, cause } = this.#runEntry(meter, call, host)
    switch (outcome.kind) {
      case 'return': {
        const data = encodeOutputs(this.contracts.crypto, meter, call.outputs, outcome.value)
        return data.ok ? ok({ data: data.value, contractAddress: undefined }) : data
      }
      case 'throw':
        this.contracts.onThrow?.(call.self, call.program.abi)
        return thrown(outcome.error, call.self, cause)
      case 'out-of-gas':
        return outOfGas(
          `${call.name.replace(/^functions\./, '')} used up the ${gasUsedOf(meter.limit)} gas of its call`,
          outcome.stack === undefined ? [] : [{ address: call.self, stack: outcome.stack }],
        )
      case 'out-of-depth':
        return failed('stack overflow: the calls of the transaction used up its stack')
      case 'trap':
        return failed('interpreter trap: QuickJS failed in this call, please report it as a bug')
      default:
        throw new Error('no host function of contracts stops a call')
    }
  }

  #runEntry(meter: GasMeter, call: EntryCall, host: HostContext | undefined): Entered {
    const { program, name, values, access, self, sender, value } = call
    const { crypto, chainId, interpreter } = this.contracts
    const { journal, block } = this
    const { abi } = program
    const isStatic = access !== 'write'
    let cause: Failure | undefined
    const send: Frame['send'] = (context, message) => {
      const sent = this.send({ address: self, gasLeft: context.gasLeft, isStatic }, message, context)
      if (!sent.ok) cause = sent
      return sent
    }
    const frame: Frame = { crypto, chainId, journal, block, self, sender, value, abi, access, send }
    const request = { image: program.image, entry: name, values, handlers: CONTRACT_HANDLERS, gas: meter.left, scope: frame }
    this.#underWay.push(self)
    const outcome = host === undefined ? interpreter.call(request) : host.call(request)
    this.#underWay.pop()
    if (outcome.kind === 'fault') throw new InterpreterFault(undefined, outcome.error)
    meter.count(outcome.gasUsed)
    return { outcome, cause }
  }

  #create(
    meter: GasMeter,
    from: Address,
    value: bigint,
    data: Uint8Array,
    form: CreationForm,
    host: HostContext | undefined,
  ): MessageOutcome {
    if (!meter.take(addressGas(form, data))) return this.#settle(meter, () => OUT_OF_GAS)
    const address = nextContractAddress(this.contracts, this.journal, from, data, form)
    if (address === undefined) return this.#settle(meter, () => failed(`nonce has max value: ${U32_MAX}`))
    const { cloneOf } = form
    return this.#settle(meter, () => {
      const refused = deployingRefusal(this.#judged(meter), from)
      if (refused !== undefined) return refused
      const { nonce, codeHash } = this.journal.account(address)
      if (nonce !== 0 || codeHash !== undefined)
        return failed(`contract address collision: there is already an account at ${address}`)
      const problem = this.#move(from, address, value, false)
      if (problem !== undefined) return failed(problem)
      const made = cloneOf === undefined ? prepareCode(this, meter, data, host) : prepareClone(this, meter, cloneOf, data, host)
      if (!made.ok) return made
      this.markLoaded(made.value.codeHash, made.value.program)
      if (value > 0n && !made.value.program.abi.creation.payable)
        return failed('the constructor is not payable and takes no value')
      installCode(this.contracts, this.journal, this.block.number, address, from, made.value)
      const constructed = this.#construct(meter, made.value, address, from, value, host)
      if (!constructed.ok) return constructed
      this.journal.created({ contract: address, creator: from })
      return ok({ data: emptyBytes(), contractAddress: address })
    })
  }

  #construct(
    meter: GasMeter,
    { program, constructorArguments }: NewCode,
    self: Address,
    sender: Address,
    value: bigint,
    host: HostContext | undefined,
  ): Result<unknown, Failure> {
    const values = decodeInputs(this.contracts.crypto, meter, program.abi.creation.inputs, constructorArguments)
    if (!values.ok || !program.image.entries.has('constructor')) return values
    return this.enter(
      meter,
      { program, name: 'constructor', values: values.value, access: 'write', self, sender, value, outputs: NO_OUTPUTS },
      host,
    )
  }

  #judged(meter: GasMeter) {
    return { crypto: this.contracts.crypto, journal: this.journal, block: this.block, meter }
  }

  /** Transfers value, or returns why it cannot be transferred. */
  #move(from: Address, to: Address, value: bigint, isStatic: boolean): string | undefined {
    if (value === 0n) return undefined
    if (isStatic) return 'a static call cannot transfer value'
    const { journal } = this
    const payer = journal.account(from)
    if (payer.balance < value) return `insufficient balance for transfer: ${from} has ${payer.balance}, the value is ${value}`
    journal.setAccount(from, { ...payer, balance: Wei(payer.balance - value) })
    // On a chain the sum of all balances is below 2^256. A development node and the overrides of a call do not guarantee that.
    if (journal.account(to).balance + value > U256_MAX) return `the balance of ${to} would be above 2^256 - 1`
    credit(journal, to, value)
    journal.recordTransfer(from, to, value)
    return undefined
  }
}

const NO_FORM: CreationForm = {}

const TOO_DEEP = failed(`max call depth exceeded: at most ${MESSAGE_LIMITS.callDepthMax} nested calls are allowed`)
