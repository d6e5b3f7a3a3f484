import type { AbiValue } from '@quoin/execution/contract'
import { bytesToHex, type Hash } from '@quoin/protocol'
import { type NamedItem, textIn } from './chain-contract.ts'
import { idText, type RoleNames, rolesText } from './words.ts'

const NO_GOVERNOR = `0x${'00'.repeat(20)}`

const lower = (value: AbiValue | undefined): string => textIn(value).toLowerCase()
const idOf = (value: unknown): string =>
  value instanceof Uint8Array ? idText(bytesToHex(value) as string as Hash) : String(value)

/** What a member misses under a rule of the chain. */
const RULES: Readonly<Record<string, string>> = {
  sending: 'send transactions',
  deploying: 'create contracts',
  calling: 'call this contract',
}

/** Rules that codecs state name their field themselves. */
const invalidText = (what: string, why: string): string => (why.startsWith(`${what} `) ? why : `${what} ${why}`)

/** An error of the chain contract in one sentence that says what to do. */
export function refusalText({ name, values }: NamedItem, roles: RoleNames): string {
  switch (name) {
    case 'NotGovernor': {
      const governor = lower(values['governor'])
      if (governor === NO_GOVERNOR) return 'nobody governs this chain: what its genesis set cannot be changed'
      return `${lower(values['sender'])} is not the governor: only ${governor} may do this; use its key, or propose the call to it`
    }
    case 'NotAllowed':
      return `${lower(values['sender'])} may not do this: ${textIn(values['why'])}`
    case 'UnknownOrganisation':
      return `there is no organisation ${idOf(values['id'])}: quoin org list shows all, quoin org set adds one`
    case 'UnknownAccount':
      return `${lower(values['account'])} has no entry: quoin account list shows all, quoin account set adds one`
    case 'UnknownNode':
      return `the node ${textIn(values['peerId'])} is not registered: quoin node list shows all, quoin node set adds one`
    case 'UnknownValidator':
      return `there is no validator ${idOf(values['id'])}: quoin validator list shows all, quoin validator add adds one`
    case 'Invalid':
      return invalidText(textIn(values['what']), textIn(values['why']))
    case 'NotPermitted': {
      const [account, rule] = [lower(values['account']), textIn(values['rule'])]
      const lacking = rolesText(Number(values['lacking']), roles)
      return `${account} may not ${RULES[rule] ?? rule}: it needs the role ${lacking.replaceAll(',', ' or ')}; an admin of its organisation or the governor gives it by quoin account set`
    }
    case 'MalformedEvidence':
      return `this is no evidence of equivocation: ${textIn(values['why'])}`
    case 'ForgedEvidence':
      return `the signatures are not those of the key of ${lower(values['validator'])} on this chain`
    case 'NotAValidatorKey':
      return `${lower(values['validator'])} is and was no key of a validator on this chain`
    case 'EvidenceOutOfTime':
      return `the evidence is of height ${Number(values['height'])}: of this key it counts from ${Number(values['first'])} to ${Number(values['last'])}`
    case 'AlreadyReported':
      return `this equivocation of validator ${idOf(values['id'])} was reported before, by the evidence ${idOf(values['evidenceHash'])}`
    case 'Refused':
      return textIn(values['why'])
    default:
      return textIn(values['message']) || name
  }
}
