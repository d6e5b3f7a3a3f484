// Part of the build: viem's ABI codec for the testing kit, without the other 60 MB of the library.
import { bundle } from '../../../scripts/lib/bundle.mjs'

await bundle(new URL('../', import.meta.url), {
  'viem/utils': [
    'decodeErrorResult',
    'decodeFunctionResult',
    'encodeDeployData',
    'encodeFunctionData',
    'getAddress',
    'isAddress',
    'parseEventLogs',
    'toFunctionSelector',
    'toFunctionSignature',
  ],
})
