import { describe, it } from 'vitest'
import { documentOf } from '../../test/openrpc.ts'
import { describedParameters, expectAgreement } from '../../test/parameters.ts'
import { rpcMethods } from './methods/index.ts'

/** Refusals that no JSON schema can describe. */
const BEYOND = [
  /data and input, and they are not equal$/,
  /time is above 9007199254739$/,
  /is empty: it must name at least one storage key$/,
  /it must be the cursor of a batch, unchanged$/,
]

/** Read later, when the kind of the subscription is known. */
const READ_LATER = 'eth_subscribe options'

const document = await documentOf(rpcMethods)

describe('the description of a parameter agrees with its reader', () => {
  it.each(describedParameters(rpcMethods).filter(({ of }) => of !== READ_LATER))('$of', (parameter) =>
    expectAgreement(document, parameter, BEYOND),
  )
})
