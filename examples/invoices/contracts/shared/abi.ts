/** Interface of the ledger: functions, and events with errors, of each part that it is made of. The contract, the driver and the page share this file. */
export const ORGANISATIONS_FUNCTIONS = [
  'function admit(string name, address admin, address account) returns (uint64 organisation)',
  'function setRoles(uint64 organisation, address member, uint8 roles)',
  'function setAccount(uint64 organisation, address account)',
  'function organisation(uint64 organisation) view returns (string name, address account)',
  'function rolesOf(uint64 organisation, address member) view returns (uint8)',
] as const

export const ORGANISATIONS_EVENTS = [
  'event Admitted(uint64 indexed organisation, string name)',
  'event RolesSet(uint64 indexed organisation, address indexed member, uint8 roles)',
  'event AccountSet(uint64 indexed organisation, address account)',
  'error NoSuchOrganisation(uint64 organisation)',
  'error MissingRole(uint64 organisation, address account, uint8 oneOf)',
  'error UnknownRoles(uint8 roles)',
  'error OwnAdminRole(uint64 organisation, address admin)',
  'error InvalidAccount(address account)',
  'error InvalidName(string name)',
] as const

export const INVOICES_FUNCTIONS = [
  'struct Invoice { uint64 id; uint64 supplier; uint64 buyer; uint256 amount; uint256 paid; uint64 due; uint8 state; bytes32 ref; }',
  'function issue(uint64 supplier, uint64 buyer, uint256 amount, uint64 due, bytes32 ref) returns (uint64 id)',
  'function approve(uint64 id)',
  'function pay(uint64 id, uint256 amount)',
  'function dispute(uint64 id, string reason)',
  'function resolve(uint64 id, uint256 amount)',
  'function cancel(uint64 id)',
  'function setCreditLimit(uint64 supplier, uint64 buyer, uint256 limit)',
  'function invoice(uint64 id) view returns (Invoice)',
  'function dueBefore(uint64 organisation, uint64 before, uint64 limit) view returns (Invoice[] invoices, uint64 nextDue, uint64 nextId)',
  'function dueBetween(uint64 organisation, uint64 from, uint64 fromId, uint64 before, uint64 limit) view returns (Invoice[] invoices, uint64 nextDue, uint64 nextId)',
  'function credit(uint64 supplier, uint64 buyer) view returns (uint256 limit, uint256 used)',
] as const

export const INVOICES_EVENTS = [
  'event Issued(uint64 indexed id, uint64 indexed supplier, uint64 indexed buyer, uint256 amount, uint64 due, bytes32 ref)',
  'event Approved(uint64 indexed id)',
  'event Paid(uint64 indexed id, uint256 amount, uint256 open)',
  'event Disputed(uint64 indexed id, string reason)',
  'event Resolved(uint64 indexed id, uint256 amount)',
  'event Cancelled(uint64 indexed id)',
  'event CreditLimitSet(uint64 indexed supplier, uint64 indexed buyer, uint256 limit)',
  'error NoSuchInvoice(uint64 id)',
  'error InvoiceState(uint64 id, uint8 state)',
  'error InvalidAmount(uint256 amount)',
  'error InvalidDue(uint64 due)',
  'error InvalidParties(uint64 supplier, uint64 buyer)',
  'error Overpaid(uint64 id, uint256 amount, uint256 open)',
  'error InvalidResolution(uint64 id, uint256 amount, uint256 paid, uint256 before)',
  'error ReasonTooLong(uint256 length)',
  'error PageTooLarge(uint64 limit, uint64 max)',
] as const

export const ORDERS_FUNCTIONS = [
  'struct Terms { uint64 buyer; uint64 supplier; uint64 carrier; uint256 price; uint256 deposit; uint32 acceptSeconds; uint32 shipSeconds; uint32 confirmSeconds; uint32 paymentDays; }',
  'struct Order { Terms terms; uint8 state; uint64 deadline; uint64 invoice; }',
  'function place(bytes32 id, Terms terms)',
  'function accept(bytes32 id)',
  'function ship(bytes32 id)',
  'function confirm(bytes32 id)',
  'function compensate(bytes32 id)',
  'function order(bytes32 id) view returns (Order)',
] as const

export const ORDERS_EVENTS = [
  'event Placed(bytes32 indexed id, uint64 indexed buyer, uint64 indexed supplier, uint64 carrier, uint256 price, uint256 deposit, uint64 deadline)',
  'event Accepted(bytes32 indexed id, uint64 deadline)',
  'event Shipped(bytes32 indexed id, uint64 deadline)',
  'event Settled(bytes32 indexed id, uint64 invoice)',
  'event Compensated(bytes32 indexed id, uint8 state, uint256 refund)',
  'error NoSuchOrder(bytes32 id)',
  'error OtherTerms(bytes32 id)',
  'error InvalidTerms(string member)',
  'error OrderState(bytes32 id, uint8 state)',
  'error TooLate(bytes32 id, uint64 deadline)',
  'error TooEarly(bytes32 id, uint64 deadline)',
  'error CreditExceeded(uint64 supplier, uint64 buyer, uint256 used, uint256 limit)',
] as const

export const TOKEN_FUNCTIONS = ['function token() view returns (address)'] as const
export const TOKEN_ERRORS = ['error TokenRefused()'] as const
