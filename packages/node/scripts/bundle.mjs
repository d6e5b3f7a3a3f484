// Part of the build: the curve and the hashes in WebAssembly, without the other 22 MB of their library, and the curve's addon, without its
// fallback in JavaScript.
import { bundle, bundleAddon } from '../../../scripts/lib/bundle.mjs'

await bundle(new URL('../', import.meta.url), {
  'ox/wasm/Secp256k1': ['engine', 'InvalidInputError'],
  'ox/wasm/Hash': ['engine'],
})
await bundleAddon(new URL('../', import.meta.url), 'secp256k1', 'bindings.js')
