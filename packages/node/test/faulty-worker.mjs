/*
 * An execution worker that fails at certain transactions, each at its own step: the real service with real powers, some of which
 * throw or never return. Runs dist, as all workers do. `workerData.faults` lists the steps: [transaction hash, step, how], or the method of a call
 * and the number of the call that fails, from 1; `open` fails before all calls.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { loadContractInterpreter } from '@quoin/platform'
import { bytesToHex, receiptCodec } from '@quoin/protocol'
import { loadCrypto } from '../dist/crypto/load.js'
import { serveExecutor } from '../dist/executor/service.js'
import { Turns } from '../dist/executor/turns.js'
import { openClassicKv } from '../dist/store/classic-kv.js'
import { DamageReports } from '../dist/store/damage.js'

const { faults, ...data } = workerData
const faultOf = new Map(faults.map(([hash, step, how]) => [hash, { step, how }]))
let current

function fail(how) {
  if (how === 'loop') for (;;);
  throw new RangeError('Maximum call stack size exceeded')
}

if (faultOf.has('open')) fail(faultOf.get('open').how)

function touch(step) {
  const fault = current === undefined ? undefined : faultOf.get(current)
  if (fault?.step === step) fail(fault.how)
}

/** Wraps an object so that each of its methods is a step. */
const watched = (name, object) =>
  new Proxy(object, {
    get(target, property) {
      const member = Reflect.get(target, property, target)
      if (typeof member !== 'function') return member
      return (...values) => {
        touch(`${name}.${String(property)}`)
        return Reflect.apply(member, target, values)
      }
    },
  })

const { begin } = Turns.prototype
Turns.prototype.begin = function (transaction) {
  begin.call(this, transaction)
  current = transaction
  touch('begin')
}
const { write } = receiptCodec
receiptCodec.write = (...values) => {
  touch('receipt')
  write.call(receiptCodec, ...values)
}

const crypto = await loadCrypto()
const decoded = new Set()
/** Fails when a transaction is decoded, but not when its hash is computed again to name the fault. */
const keccak256 = (bytes) => {
  const hash = crypto.keccak256(bytes)
  const text = bytesToHex(hash)
  const fault = faultOf.get(text)
  if (fault?.step !== 'decode') return hash
  if (!decoded.delete(text)) {
    decoded.add(text)
    fail(fault.how)
  }
  return hash
}

const calls = new Map()
/** The port. A whole call may fail here. */
const port = {
  on: (event, listener) =>
    parentPort.on(event, (request) => {
      const { method } = request.call
      const count = (calls.get(method) ?? 0) + 1
      calls.set(method, count)
      const fault = faultOf.get(method)
      if (fault?.step === String(count)) fail(fault.how)
      listener(request)
    }),
  postMessage: (...values) => parentPort.postMessage(...values),
  close: () => parentPort.close(),
}

const damage = new DamageReports()
const powers = {
  kv: watched('kv', await openClassicKv(data.databasePath, { onDamage: damage.report })),
  damage,
  crypto: watched('crypto', { ...crypto, keccak256 }),
  interpreter: watched('interpreter', await loadContractInterpreter()),
}
await serveExecutor(port, powers, data)
