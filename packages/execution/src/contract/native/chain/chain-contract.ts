import { SYSTEM_ADDRESS } from '../../../state/system-records.ts'
import type { NativeContract } from '../native.ts'
import { ACCOUNTS } from './accounts.ts'
import { CHAIN_ABI } from './chain-abi.ts'
import { CODES } from './codes.ts'
import { EVIDENCE } from './evidence.ts'
import { GOVERNING } from './governing.ts'
import { NODES_OF_CHAIN } from './nodes.ts'
import { ORGANISATIONS } from './organisations.ts'
import { RESTRICTIONS, RULES } from './rules.ts'
import { SCHEDULING } from './schedule.ts'
import { VALIDATORS } from './validators.ts'

/**
 * The chain contract: the only writer of what the nodes read about the chain (who belongs to it, who validates, by which rules). It obeys
 * one governor and decides nothing. Every value is checked here by the rules of its codec, so no malformed record can come about.
 */
export const CHAIN_CONTRACT: NativeContract = {
  name: 'chain',
  address: SYSTEM_ADDRESS,
  abi: CHAIN_ABI,
  actions: {
    ...GOVERNING,
    ...ORGANISATIONS,
    ...ACCOUNTS,
    ...NODES_OF_CHAIN,
    ...VALIDATORS,
    ...EVIDENCE,
    ...RULES,
    ...RESTRICTIONS,
    ...SCHEDULING,
    ...CODES,
  },
}
