import type { WasmPatch } from './meter/patch.ts'

/**
 * Errors of QuickJS that the build corrects in its binary. Positions refer to the binary `INTERPRETER_BINARY.sourceSha256`,
 * sources to bellard/quickjs at commit f1139494. `patches.test.ts` tests each patch; `test/differential.test.ts` searches for
 * more errors.
 */
export const ENGINE_PATCHES: readonly WasmPatch[] = [
  {
    name: 'negative bigint against negative number',
    // js_bigint_float64_cmp, quickjs.c line 11956: `if (f != e) { if (f < e) return -1; else return 1; }`. f and e are the
    // exponents of the absolute values, so for negative numbers the larger exponent is the smaller number. Both signs are equal
    // there; the sign is in local 3. Upstream still has the error at d73189d2 (2026-05-21).
    reason: '-5n < -1.5 was false, -(10n ** 18n) < -2e18 true: the sign was ignored where the exponents differ',
    functionIndex: 707,
    at: 228,
    // i32.const -1 · i32.const 1 · local.get 0 (f) · local.get 2 (e) · i32.lt_s · select
    original: [0x41, 0x7f, 0x41, 0x01, 0x20, 0x00, 0x20, 0x02, 0x48, 0x1b],
    // The same, with (f < e) ^ sign as the condition.
    replacement: [0x41, 0x7f, 0x41, 0x01, 0x20, 0x00, 0x20, 0x02, 0x48, 0x20, 0x03, 0x73, 0x1b],
  },
  {
    name: 'acosh of a negative number',
    // acosh of musl, src/math/acosh.c: from |x| = 2 on it checks only the exponent, so numbers below -2 get the logarithm of a
    // rounding error. rust-lang/compiler-builtins fixed its port in #1070.
    reason: 'Math.acosh(-52421) was -6.06…, not NaN',
    functionIndex: 1184,
    at: 3,
    // local.get 0 · i64.reinterpret_f64
    original: [0x20, 0x00, 0xbd],
    // local.get 0 · f64.const 1 · f64.lt · if · f64.const nan · return · end, then the original
    replacement: [
      ...[0x20, 0x00, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0x3f, 0x63, 0x04, 0x40],
      ...[0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f, 0x0f, 0x0b, 0x20, 0x00, 0xbd],
    ],
  },
  {
    name: 'lastIndexOf of a negative number in an Int8Array',
    // js_typed_array_indexOf, quickjs.c line 57135: `uint16_t v; … v = v64; … if (pv[k] == v)` compares a byte with 16 bits.
    // indexOf uses memchr, which compares 8 bits. Upstream still has the error at d73189d2.
    reason: 'new Int8Array([-3]).lastIndexOf(-3) was -1: no negative number was found',
    functionIndex: 953,
    at: 729,
    // local.get 7 (v) · i32.const 65535 · i32.and · local.set 5
    original: [0x20, 0x07, 0x41, 0xff, 0xff, 0x03, 0x71, 0x21, 0x05],
    // 255
    replacement: [0x20, 0x07, 0x41, 0xff, 0x01, 0x71, 0x21, 0x05],
  },
  {
    name: 'length of a sparse array, made smaller',
    // set_array_length, quickjs.c line 9082: a loop over the array's properties deletes those beyond the new length. A deletion
    // may compact the properties (line 8947), which moves properties that the loop has not visited to positions that it has
    // passed. Upstream still has the error at d73189d2.
    reason: 'elements beyond the new length stayed, and came back when the array grew again',
    functionIndex: 726,
    at: 388,
    // call delete_property · drop · local.get 1 (p) · i32.load offset=20 (shape) · local.tee 9 · local.get 6 (i)
    original: [0x10, 0xc8, 0x02, 0x1a, 0x20, 0x01, 0x28, 0x02, 0x14, 0x22, 0x09, 0x20, 0x06],
    // The loop starts over (i = -1, then i + 1) if something was deleted (call delete_property · i32.const 0 · i32.gt_s) and the
    // shape, loaded as before, has no deleted property left (i32.load offset=36 · i32.eqz): then it has just been compacted.
    replacement: [
      ...[0x10, 0xc8, 0x02, 0x41, 0x00, 0x4a, 0x20, 0x01, 0x28, 0x02, 0x14, 0x22, 0x09, 0x28, 0x02, 0x24, 0x45, 0x71],
      ...[0x04, 0x40, 0x41, 0x7f, 0x21, 0x06, 0x0b, 0x20, 0x09, 0x20, 0x06],
    ],
  },
]
