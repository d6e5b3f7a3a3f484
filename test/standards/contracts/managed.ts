import { contract, value } from '@quoin/contracts'
import { accessControl, DEFAULT_ADMIN_ROLE, grantRole, onlyRole, roleOf, setRoleAdmin } from '@quoin/contracts/access-control'
import { initOwnable, onlyOwner, ownable } from '@quoin/contracts/ownable'
import { pausable, pause, unpause, whenNotPaused, whenPaused } from '@quoin/contracts/pausable'

/** One function for each access rule. */
export default contract({
  uses: [accessControl, ownable, pausable],
  abi: [
    'constructor(address owner, address admin)',
    'function total() view returns (uint256)',
    'function add(uint256 amount)',
    'function rescue()',
    'function configure()',
    'function claim()',
    'function pause()',
    'function unpause()',
    'function setRoleAdmin(bytes32 role, bytes32 adminRole)',
  ],
  state: { total: value('uint256') },
  constructor(context, owner, admin) {
    initOwnable(context, owner)
    grantRole(context, DEFAULT_ADMIN_ROLE, admin)
  },
  modifiers: {
    add: [whenNotPaused],
    rescue: [whenPaused],
    configure: [onlyRole(roleOf('CONFIGURER_ROLE'))],
    claim: [onlyOwner],
  },
  functions: {
    total: ({ state }) => state.total.get(),
    add({ state }, amount) {
      state.total.update((total) => total + amount)
    },
    rescue() {},
    configure() {},
    claim() {},
    pause,
    unpause,
    setRoleAdmin,
  },
})
