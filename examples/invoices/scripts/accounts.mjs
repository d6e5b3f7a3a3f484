import { mnemonicToAccount } from 'viem/accounts'

/** The words from which every development chain derives its accounts. Everybody knows them: they are worth nothing elsewhere. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk'

/** Accounts of the development chain by what they do in the example: their index, and for whom they act. */
export const PEOPLE = {
  owner: { index: 0 },
  supplier: { index: 1, organisation: 1, name: 'Northwind Mills' },
  buyer: { index: 2, organisation: 2, name: 'Harbour Bakery' },
  carrier: { index: 3, organisation: 3, name: 'Blue Freight' },
}

/** @param {{ readonly index: number }} person */
export const accountOf = ({ index }) => mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index })
