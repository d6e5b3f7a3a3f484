import type { ScalarType, Spec, Struct, WordType } from '@quoin/contracts'

/** A field of the state as data. Contract and model are generated from it. */
export type FieldSpec =
  | { readonly kind: 'value'; readonly of: Spec }
  | { readonly kind: 'mapping'; readonly key: ScalarType; readonly of: Spec }
  | { readonly kind: 'nested'; readonly key: ScalarType; readonly of: FieldSpec }
  | { readonly kind: 'set'; readonly of: ScalarType }
  | { readonly kind: 'list'; readonly of: Spec }
  | { readonly kind: 'table'; readonly key: WordType | { readonly [member: string]: WordType }; readonly row: Struct }
  /** Replaces a value or mapping of uint32 with one of uint256; old values are multiplied by 100. */
  | { readonly kind: 'replacing'; readonly former: string; readonly by: FieldSpec }

const POINT = { x: 'uint256', inner: { name: 'string', signs: 'int8[]' }, seen: 'bool' } as const
const ORDER = { owner: 'address', amount: 'uint256' } as const

/** Names have different lengths, because they are part of the keys. */
export const FIELDS = {
  word: { kind: 'value', of: 'uint256' },
  small: { kind: 'value', of: 'int8' },
  flag: { kind: 'value', of: 'bool' },
  who: { kind: 'value', of: 'address' },
  text: { kind: 'value', of: 'string' },
  raw: { kind: 'value', of: 'bytes' },
  tag: { kind: 'value', of: 'bytes4' },
  point: { kind: 'value', of: POINT },
  array: { kind: 'value', of: 'int16[]' },
  matrix: { kind: 'value', of: 'uint8[2][]' },

  byAddress: { kind: 'mapping', key: 'address', of: 'uint256' },
  byText: { kind: 'mapping', key: 'string', of: 'int256' },
  byBytes: { kind: 'mapping', key: 'bytes', of: 'string' },
  byInteger: { kind: 'mapping', key: 'int256', of: POINT },
  byFlag: { kind: 'mapping', key: 'bool', of: 'address[]' },
  byTag: { kind: 'mapping', key: 'bytes4', of: 'bytes' },
  byHashWithANameAsLongAsNamesMayBeWhichIsSixtyFourCharactersInAll: { kind: 'mapping', key: 'bytes32', of: 'bool' },

  textByTextByText: { kind: 'nested', key: 'string', of: { kind: 'mapping', key: 'string', of: 'uint64' } },
  bytesByBytes: { kind: 'nested', key: 'bytes', of: { kind: 'mapping', key: 'bytes', of: 'uint8' } },
  deep: {
    kind: 'nested',
    key: 'uint256',
    of: { kind: 'nested', key: 'bytes32', of: { kind: 'mapping', key: 'int256', of: 'bytes4' } },
  },

  texts: { kind: 'set', of: 'string' },
  members: { kind: 'set', of: 'address' },
  integers: { kind: 'set', of: 'int16' },
  setsByText: { kind: 'nested', key: 'string', of: { kind: 'set', of: 'bytes' } },
  setsByHash: { kind: 'nested', key: 'bytes32', of: { kind: 'nested', key: 'bytes32', of: { kind: 'set', of: 'bytes32' } } },

  points: { kind: 'list', of: POINT },
  words: { kind: 'list', of: 'int256' },
  listsByText: { kind: 'nested', key: 'string', of: { kind: 'list', of: 'string' } },
  listsByNumber: { kind: 'nested', key: 'uint256', of: { kind: 'nested', key: 'uint256', of: { kind: 'list', of: 'uint8[]' } } },

  orders: { kind: 'table', key: 'uint256', row: ORDER },
  levels: { kind: 'table', key: 'int16', row: { n: 'uint8' } },
  hashes: { kind: 'table', key: 'bytes32', row: { n: 'uint8' } },
  owned: { kind: 'table', key: { owner: 'address', id: 'uint64' }, row: { text: 'string' } },
  mixed: { kind: 'table', key: { flag: 'bool', tag: 'bytes4', level: 'int256', id: 'uint8' }, row: POINT },
  tablesByText: { kind: 'nested', key: 'string', of: { kind: 'table', key: 'int256', row: { n: 'uint8' } } },
  tablesByHash: {
    kind: 'nested',
    key: 'bytes32',
    of: { kind: 'nested', key: 'address', of: { kind: 'table', key: { a: 'uint256', b: 'int256' }, row: { n: 'uint8' } } },
  },

  formerValue: { kind: 'value', of: 'uint32' },
  newValue: { kind: 'replacing', former: 'formerValue', by: { kind: 'value', of: 'uint256' } },
  formerMapping: { kind: 'mapping', key: 'string', of: 'uint32' },
  newMapping: { kind: 'replacing', former: 'formerMapping', by: { kind: 'mapping', key: 'string', of: 'uint256' } },
  formerNested: { kind: 'nested', key: 'bool', of: { kind: 'mapping', key: 'uint8', of: 'uint32' } },
  newNested: {
    kind: 'replacing',
    former: 'formerNested',
    by: { kind: 'nested', key: 'bool', of: { kind: 'mapping', key: 'uint8', of: 'uint256' } },
  },
} as const satisfies { readonly [name: string]: FieldSpec }

export type FieldName = keyof typeof FIELDS
