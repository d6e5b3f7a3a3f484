import { contract, list, ZERO_ADDRESS } from '@quoin/contracts'

const TEXT_LENGTH_MAX = 80n

/** A list of tasks that everybody can add to. Whoever does a task finishes it, once. */
export default contract({
  abi: [
    'struct Task { uint256 id; string text; address author; address finisher; }',
    'function add(string text) returns (uint256 id)',
    'function finish(uint256 id)',
    'function newest(uint256 count) view returns (Task[])',
    'function size() view returns (uint256)',
    'event Added(uint256 indexed id, address indexed author, string text)',
    'event Finished(uint256 indexed id, address indexed finisher)',
    'error EmptyText()',
    'error TextTooLong(uint256 length, uint256 max)',
    'error UnknownTask(uint256 id)',
    'error AlreadyFinished(uint256 id, address finisher)',
  ],
  // `finisher` is the zero address while the task is open.
  state: { tasks: list({ text: 'string', author: 'address', finisher: 'address' }) },
  functions: {
    add({ state, sender, emit, revert }, text) {
      const length = BigInt(text.length)
      if (text.trim() === '') throw revert.EmptyText()
      if (length > TEXT_LENGTH_MAX) throw revert.TextTooLong(length, TEXT_LENGTH_MAX)
      const id = state.tasks.push({ text, author: sender, finisher: ZERO_ADDRESS })
      emit.Added(id, sender, text)
      return id
    },
    finish({ state, sender, emit, revert }, id) {
      if (id >= state.tasks.length) throw revert.UnknownTask(id)
      const task = state.tasks.get(id)
      if (task.finisher !== ZERO_ADDRESS) throw revert.AlreadyFinished(id, task.finisher)
      state.tasks.set(id, { ...task, finisher: sender })
      emit.Finished(id, sender)
    },
    newest({ state }, count) {
      const { length } = state.tasks
      const first = length > count ? length - count : 0n
      return state.tasks
        .slice(first, length)
        .map((task, i) => ({ id: first + BigInt(i), ...task }))
        .reverse()
    },
    size: ({ state }) => state.tasks.length,
  },
})
