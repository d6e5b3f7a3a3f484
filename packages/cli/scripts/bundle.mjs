// Part of the build: the encoding of typed data, for `quoin dev`, without the rest of its library.
import { bundle } from '../../../scripts/lib/bundle.mjs'

await bundle(new URL('../', import.meta.url), { 'ox/TypedData': ['getSignPayload'] })
