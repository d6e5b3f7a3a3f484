/** What a member may do for an organisation. A member has a sum of these. The contract, the driver and the page share this file. */
export const ROLE = {
  /** Sets roles and the account of the organisation, and its credit limits. */
  ADMIN: 1,
  /** As a supplier: issues invoices, and accepts orders. */
  ISSUER: 2,
  /** As a buyer: approves and disputes invoices, and confirms deliveries. */
  APPROVER: 4,
  /** As a buyer: pays invoices and places orders, with tokens of the member's own account. */
  PAYER: 8,
  /** As a buyer: disputes invoices, and nothing else. */
  AUDITOR: 16,
  /** As a carrier: ships orders. */
  DISPATCHER: 32,
} as const

export const ALL_ROLES = 63
