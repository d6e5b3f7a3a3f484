import type { AbiType, CallAbi, Member } from '@quoin/execution/contract'
import type { Abi, AbiParameter } from 'abitype'

/** The errors of an ABI that the chain compiled from a container, as JSON. */
export const errorAbi = ({ errorsByName }: CallAbi): Abi =>
  [...errorsByName.values()].flat().map(({ name, inputs }) => ({ type: 'error', name, inputs: inputs.members.map(parameterOf) }))

const parameterOf = ({ name, type }: Member): AbiParameter => ({ name, ...typeOf(type) })

function typeOf(type: AbiType): Pick<AbiParameter, 'type'> {
  if (type.kind === 'tuple') return { type: 'tuple', components: type.members.map(parameterOf) } as Pick<AbiParameter, 'type'>
  if (type.kind !== 'array') return { type: type.name }
  const item = typeOf(type.item)
  return { ...item, type: `${item.type}[${type.length ?? ''}]` }
}
