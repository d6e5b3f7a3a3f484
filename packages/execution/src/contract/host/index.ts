/**
 * The host functions of contracts, by topic: the members of the guest's `quoin`. The interpreter gets `CONTRACT_HOST` when it is
 * created; every call gets `CONTRACT_HANDLERS`, with the frame as its scope. docs/contracts.md describes each function for
 * authors.
 *
 *   define       defines a function: name, access, price, parameters, handler
 *   environment  sender, value, self, chainId, block, gasLeft
 *   storage      load, store, has, remove; `stored-value` is the format of stored values
 *   events       emit
 *   errors       revert
 *   calls        call, staticCall, callRaw, staticCallRaw, transfer, balanceOf, codeAt
 *   creations    create, create2, clone, clone2
 *   library      the functions of ../library
 */
import type { HostHandlers, HostTable } from '../../vm/index.ts'
import { CALLS } from './calls.ts'
import { CREATIONS } from './creations.ts'
import type { HostEntry } from './define.ts'
import { ENVIRONMENT } from './environment.ts'
import { ERRORS } from './errors.ts'
import { EVENTS } from './events.ts'
import { LIBRARY } from './library.ts'
import { STORAGE } from './storage.ts'

/** All functions. The order is part of the execution version. */
export const HOST_ENTRIES: readonly HostEntry[] = [
  ...ENVIRONMENT,
  ...STORAGE,
  ...EVENTS,
  ...ERRORS,
  ...CALLS,
  ...CREATIONS,
  ...LIBRARY,
]

/** The functions as rows of the interpreter's table. */
export const CONTRACT_HOST: HostTable = HOST_ENTRIES.map(({ access: _access, handler: _handler, ...row }) => row)

/** Their handlers, for every interpreter call whose scope is a Frame. */
export const CONTRACT_HANDLERS: HostHandlers = Object.fromEntries(HOST_ENTRIES.map(({ name, handler }) => [name, handler]))
