import { AGAINST, FOR, type Rules } from './stage.ts'

/** A plain model of the governor and of what it asks the chain contract. It knows names, numbers and lists only. */

/** What a proposal may do in the model. */
export type Act =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'fail' }
  | { readonly kind: 'votes'; readonly organisation: string; readonly votes: number }
  | {
      readonly kind: 'account'
      readonly account: string
      readonly organisation: string
      readonly voter: boolean
      readonly suspended: boolean
    }
  | { readonly kind: 'suspend'; readonly organisation: string; readonly suspended: boolean }
  | { readonly kind: 'rules'; readonly rules: Rules; readonly valid: boolean }

interface Account {
  organisation: string
  voter: boolean
  suspended: boolean
}

interface Proposal {
  readonly organisation: string
  readonly acts: readonly Act[]
  readonly emergency: boolean
  readonly rules: Rules
  readonly block: number
  readonly time: number
  readonly weights: ReadonlyMap<string, number>
  readonly ballots: Map<string, number>
  outcome: 'executed' | 'cancelled' | undefined
}

const PHASE = 32
const ENDED = ['executed', 'cancelled', 'defeated', 'expired']

export class Model {
  block: number
  time: number
  rules: Rules
  name = ''
  readonly accounts = new Map<string, Account>()
  readonly votes = new Map<string, number>()
  readonly suspended = new Set<string>()
  readonly proposals: Proposal[] = []
  /** Weights of all organisations at the end of the block before. */
  #weightsBefore: ReadonlyMap<string, number>

  constructor(
    block: number,
    time: number,
    rules: Rules,
    members: ReadonlyMap<string, { readonly votes: number; readonly voters: readonly string[] }>,
  ) {
    ;[this.block, this.time, this.rules] = [block, time, rules]
    for (const [organisation, { votes, voters }] of members) {
      this.votes.set(organisation, votes)
      for (const voter of voters) this.accounts.set(voter, { organisation, voter: true, suspended: false })
    }
    this.#weightsBefore = this.#weights()
  }

  /** A block begins. */
  begin(block: number, time: number): void {
    this.#weightsBefore = this.#weights()
    ;[this.block, this.time] = [block, time]
  }

  #voters(organisation: string): number {
    return [...this.accounts.values()].filter((each) => each.organisation === organisation && each.voter && !each.suspended)
      .length
  }

  #weights(): ReadonlyMap<string, number> {
    return new Map([...this.votes].map(([organisation, votes]) => [organisation, this.#voters(organisation) === 0 ? 0 : votes]))
  }

  /** Whether a transaction of an account gets into a block at all. */
  maySend(account: string): boolean {
    const entry = this.accounts.get(account)
    if (entry === undefined) return true
    if (entry.suspended) return false
    return entry.voter || !this.suspended.has(entry.organisation)
  }

  #organisationOf(account: string): string | undefined {
    const entry = this.accounts.get(account)
    return entry?.voter === true && !entry.suspended ? entry.organisation : undefined
  }

  stateOf(id: number): string {
    const proposal = this.proposals[id]!
    const { rules, emergency, block, time, weights, ballots, outcome } = proposal
    if (outcome !== undefined) return outcome
    const lock = emergency ? 0 : Number(rules.timeLock)
    const closes = time + Number(rules.votingTime)
    const isClosed = this.time >= closes && this.block >= block + PHASE
    const sum = (support: number | undefined) =>
      [...ballots].reduce(
        (all, [organisation, vote]) => all + (support === undefined || vote === support ? weights.get(organisation)! : 0),
        0,
      )
    const total = [...weights.values()].reduce((all, weight) => all + weight, 0)
    const passes = emergency
      ? sum(FOR) > 0 && sum(FOR) / total >= rules.emergencyThreshold / 10_000
      : sum(FOR) > 0 &&
        sum(undefined) / total >= rules.quorum / 10_000 &&
        sum(FOR) / (sum(FOR) + sum(AGAINST)) >= rules.threshold / 10_000
    if (!isClosed && !(emergency && passes)) return 'voting'
    if (!passes) return 'defeated'
    const dueBlock = block + PHASE * (lock > 0 ? 2 : 1)
    if (this.time >= closes + lock + Number(rules.executionTime) && this.block >= dueBlock + PHASE) return 'expired'
    return emergency || (this.time >= closes + lock && this.block >= dueBlock) ? 'due' : 'locked'
  }

  propose(account: string, acts: readonly Act[], emergency: boolean): string {
    const suspends = acts.flatMap((act) => (act.kind === 'suspend' && act.suspended ? [act.organisation] : []))
    if (acts.length === 0 || (suspends.length > 0 && acts.length > 1)) return 'GovernanceInvalidCalls'
    const organisation = this.#organisationOf(account)
    if (organisation === undefined) return 'GovernanceNotVoter'
    if ((this.#weightsBefore.get(organisation) ?? 0) === 0) return 'GovernanceNoVotes'
    const open = this.proposals.filter((each, id) => each.organisation === organisation && !ENDED.includes(this.stateOf(id)))
    if (open.length >= 4) return 'GovernanceTooManyOpen'
    const weights = new Map([...this.#weightsBefore].filter(([name]) => name !== suspends[0]))
    const { block, time, rules } = this
    this.proposals.push({ organisation, acts, emergency, rules, block, time, weights, ballots: new Map(), outcome: undefined })
    return 'ok'
  }

  vote(account: string, id: number, support: number): string {
    if (support > 2) return 'GovernanceInvalidSupport'
    const proposal = this.proposals[id]
    if (proposal === undefined) return 'GovernanceUnknownProposal'
    const { rules, block, time, weights, ballots, outcome } = proposal
    if (outcome !== undefined || (this.time >= time + Number(rules.votingTime) && this.block >= block + PHASE))
      return 'GovernanceUnexpectedState'
    const organisation = this.#organisationOf(account)
    if (organisation === undefined) return 'GovernanceNotVoter'
    if (!weights.has(organisation)) return 'GovernanceExcluded'
    if (weights.get(organisation) === 0) return 'GovernanceNoVotes'
    ballots.set(organisation, support)
    return 'ok'
  }

  cancel(account: string, id: number): string {
    const proposal = this.proposals[id]
    if (proposal === undefined) return 'GovernanceUnknownProposal'
    if (ENDED.includes(this.stateOf(id))) return 'GovernanceUnexpectedState'
    const organisation = this.#organisationOf(account)
    if (organisation === undefined) return 'GovernanceNotVoter'
    if (organisation !== proposal.organisation) return 'GovernanceNotProposer'
    proposal.outcome = 'cancelled'
    return 'ok'
  }

  execute(id: number, isSame: boolean): string {
    const proposal = this.proposals[id]
    if (proposal === undefined) return 'GovernanceUnknownProposal'
    if (this.stateOf(id) !== 'due') return 'GovernanceUnexpectedState'
    if (!isSame) return 'GovernanceWrongCalls'
    const [name, rules] = [this.name, this.rules]
    const [accounts, votes, suspended] = [[...this.accounts], [...this.votes], [...this.suspended]]
    if (proposal.acts.every((act) => this.#perform(act))) {
      proposal.outcome = 'executed'
      return 'ok'
    }
    ;[this.name, this.rules] = [name, rules]
    for (const map of [this.accounts, this.votes, this.suspended]) map.clear()
    for (const [account, entry] of accounts) this.accounts.set(account, entry)
    for (const [organisation, count] of votes) this.votes.set(organisation, count)
    for (const organisation of suspended) this.suspended.add(organisation)
    return 'GovernanceCallFailed'
  }

  /** Returns false if the chain contract or the governor refuses. */
  #perform(act: Act): boolean {
    switch (act.kind) {
      case 'name':
        this.name = act.name
        return true
      case 'fail':
        return false
      case 'rules':
        if (act.valid) this.rules = act.rules
        return act.valid
      case 'suspend':
        this.suspended[act.suspended ? 'add' : 'delete'](act.organisation)
        return true
      case 'votes':
        this.votes.set(act.organisation, act.votes)
        return [...this.#weights().values()].some((weight) => weight > 0)
      case 'account': {
        const { account, organisation, voter, suspended } = act
        const mute = () => [...this.votes].filter(([name, votes]) => votes > 0 && this.#voters(name) === 0).map(([name]) => name)
        const before = mute()
        this.accounts.set(account, { organisation, voter, suspended })
        // An organisation with votes does not lose its last voter.
        return mute().every((name) => before.includes(name))
      }
    }
  }

  tally(id: number): readonly bigint[] {
    const { ballots, weights } = this.proposals[id]!
    return [AGAINST, FOR, 2].map((support) =>
      BigInt([...ballots].reduce((all, [organisation, vote]) => all + (vote === support ? weights.get(organisation)! : 0), 0)),
    )
  }
}
