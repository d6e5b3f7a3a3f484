import { callRaw, contract, value } from '@quoin/contracts'

/** Called by other contracts; shows how it was called. */
export default contract({
  abi: [
    'function set(uint256 number) payable returns (uint256)',
    'function fail(uint256 number) payable',
    'function failEmptily()',
    'function callBack(bytes data) payable',
    'function keep(bytes data)',
    'function callBackWithKept()',
    'function number() view returns (uint256)',
    'function caller() view returns (address)',
    'error Failed(uint256 number)',
  ],
  state: { number: value('uint256'), caller: value('address'), kept: value('bytes') },
  functions: {
    set({ state, sender }, number) {
      state.number.set(number)
      state.caller.set(sender)
      return number + 1n
    },
    fail({ revert }, number) {
      throw revert.Failed(number)
    },
    failEmptily() {
      throw Object.assign(new Error('nobody sees this'), { data: new Uint8Array(0) })
    },
    callBack({ sender }, data) {
      callRaw(sender, data)
    },
    keep: ({ state }, data) => state.kept.set(data),
    callBackWithKept({ state, sender }) {
      callRaw(sender, state.kept.get())
    },
    number: ({ state }) => state.number.get(),
    caller: ({ state }) => state.caller.get(),
  },
})
