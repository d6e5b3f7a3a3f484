import { contract } from '@quoin/contracts'
import { invoices } from './ledger/invoices.ts'
import { orders } from './ledger/orders.ts'
import { initOrganisations, organisations } from './ledger/organisations.ts'

/** The ledger that several organisations share. The owner admits organisations; nobody can replace the code. */
export default contract({
  uses: [organisations, invoices, orders],
  abi: ['constructor(address token, address owner)'],
  constructor(context, token, owner) {
    context.state.token.set(token)
    initOrganisations(context, owner)
  },
})
