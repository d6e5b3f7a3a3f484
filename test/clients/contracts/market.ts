import { contract, list, mapping, value } from '@quoin/contracts'

/** Values of every shape that clients encode and decode: structs, lists, negative numbers, indexed texts, payments, custom errors, reasons. */
export default contract({
  abi: [
    'struct Offer { address seller; uint256 price; string name; bytes32[] tags; }',
    'constructor(string title, uint256 fee)',
    'function title() view returns (string)',
    'function fee() view returns (uint256)',
    'function count() view returns (uint256)',
    'function offer(string name, uint256 price, bytes32[] tags) returns (uint256 id)',
    'function offers(uint256 id) view returns (Offer)',
    'function all() view returns (Offer[])',
    'function buy(uint256 id) payable',
    'function rate(int256 change) returns (int256 rating)',
    'function rating() view returns (int256)',
    'function echo(int256 number, bytes data, bool flag, uint8[3] small) pure returns (int256, bytes, bool, uint8[3])',
    'event Offered(uint256 indexed id, address indexed seller, string name, uint256 price)',
    'event Bought(uint256 indexed id, address indexed buyer, string indexed name)',
    'event Rated(int256 indexed change, int256 rating)',
    'error WrongPrice(uint256 id, uint256 wanted, uint256 paid)',
    'error Sold(uint256 id)',
  ],
  state: {
    title: value('string'),
    fee: value('uint256'),
    rating: value('int256'),
    offers: list({ seller: 'address', price: 'uint256', name: 'string', tags: 'bytes32[]' }),
    sold: mapping('uint256', 'bool'),
  },
  constructor({ state }, title, fee) {
    state.title.set(title)
    state.fee.set(fee)
  },
  functions: {
    title: ({ state }) => state.title.get(),
    fee: ({ state }) => state.fee.get(),
    count: ({ state }) => state.offers.length,
    offer({ state, sender, emit }, name, price, tags) {
      const id = state.offers.push({ seller: sender, price, name, tags })
      emit.Offered(id, sender, name, price)
      return id
    },
    offers({ state }, id) {
      if (id >= state.offers.length) throw new Error('there is no such offer')
      return state.offers.get(id)
    },
    all: ({ state }) => [...state.offers],
    buy({ state, sender, value: paid, emit, revert, transfer }, id) {
      if (id >= state.offers.length) throw new Error('there is no such offer')
      if (state.sold.get(id)) throw revert.Sold(id)
      const { seller, price, name } = state.offers.get(id)
      if (paid !== price) throw revert.WrongPrice(id, price, paid)
      state.sold.set(id, true)
      transfer(seller, paid)
      emit.Bought(id, sender, name)
    },
    rate({ state, emit }, change) {
      const rating = state.rating.update((before) => before + change)
      emit.Rated(change, rating)
      return rating
    },
    rating: ({ state }) => state.rating.get(),
    echo: (_, number, data, flag, small) => [number, data, flag, small],
  },
})
