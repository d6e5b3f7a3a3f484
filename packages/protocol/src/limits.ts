/**
 * Every bound that all parties share. A value here is part of the protocol: changing one changes which bytes are valid.
 */
export const LIMITS = {
  /** Encoded transaction. Larger than any contract container. */
  transactionBytesMax: 256 * 1024,
  /**
   * Encoded transaction: a legacy one is a list of nine fields, each of one byte at the least, behind one byte of its length. Nothing shorter
   * decodes, so that no list of transactions costs more objects than its bytes pay for.
   */
  transactionBytesMin: 10,
  /** Contract container: some 7 KiB of constructor arguments and the rest of the transaction fit beside it. */
  containerBytesMax: 248 * 1024,
  /** Sum of the encoded transactions of one block. */
  blockBytesMax: 4 * 1024 * 1024,
  blockTransactionsMax: 20_000,
  /** Upper bound of the parameter `blockGasMax`. */
  blockGasMax: 1_000_000_000_000,
  accessListEntriesMax: 1_024,
  accessListKeysMax: 4_096,
  headerBytesMax: 1_024,
  extraDataBytesMax: 256,
  validatorsMax: 128,
  nodesMax: 512,
  nodeAddressesMax: 8,
  nodeAddressCharsMax: 128,
  peerIdCharsMax: 64,
  logsPerReceiptMax: 1_024,
  logDataBytesMax: 128 * 1024,
  logTopicsMax: 4,
  errorDataBytesMax: 1_024,
  /** Raw part of a state key, behind the address and the kind. */
  stateKeyBytesMax: 128,
  stateValueBytesMax: 512 * 1024,
  genesisAllocMax: 100_000,
  genesisSystemContractsMax: 64,
  /** Last time that a header can carry: 1000 · timestamp + 999 fits 53 bits. */
  timeMsMax: 1_000 * Math.floor(Number.MAX_SAFE_INTEGER / 1_000) - 1,
} as const
