/**
 * The limits on which all nodes must agree. Each is part of the protocol: another value makes other bytes valid. Names end with the unit where
 * it is not a count.
 */
export const LIMITS = {
  /** Encoded transaction. Larger than any contract container. */
  transactionBytesMax: 256 * 1024,
  /**
   * Encoded transaction. The shortest is a legacy transaction: one byte for the length of the list and at least one byte for each of its nine
   * fields. Codecs of block bodies refuse anything shorter, which bounds the number of objects that a message of a given size can create.
   */
  transactionBytesMin: 10,
  /** Contract container. Leaves about 7 KiB of a transaction for constructor arguments and 1 KiB for its other fields. */
  containerBytesMax: 248 * 1024,
  /** Sum of the encoded transactions of one block. */
  blockBytesMax: 4 * 1024 * 1024,
  blockTransactionsMax: 20_000,
  /** Largest value of the parameter `blockGasMax`. */
  blockGasMax: 1_000_000_000_000,
  accessListEntriesMax: 1_024,
  accessListKeysMax: 4_096,
  validatorsMax: 128,
  nodesMax: 512,
  nodeAddressesMax: 8,
  nodeAddressCharsMax: 128,
  peerIdCharsMax: 64,
  /** Peer ids of one validator. */
  validatorPeersMax: 4,
  organisationsMax: 256,
  organisationNameBytesMax: 64,
  /** Votes of one organisation. */
  votesMax: 1_000_000,
  /** Share of one organisation. */
  shareMax: 1_000_000,
  /** Owners of a multisignature that governs. */
  participantsMax: 64,
  logsPerReceiptMax: 1_024,
  logDataBytesMax: 128 * 1024,
  logTopicsMax: 4,
  errorDataBytesMax: 1_024,
  /** Part of a state key that follows the address and the kind. */
  stateKeyBytesMax: 128,
  stateValueBytesMax: 512 * 1024,
  genesisAllocMax: 100_000,
  genesisSystemContractsMax: 64,
  genesisAccountsMax: 10_000,
  /** Latest time that a header can have: 1000 · timestamp + 999 must fit into 53 bits. */
  timeMsMax: 1_000 * Math.floor(Number.MAX_SAFE_INTEGER / 1_000) - 1,
} as const
