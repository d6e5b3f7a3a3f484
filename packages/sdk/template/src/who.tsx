import { useLogin } from './login.tsx'
import { short } from './short.ts'

/** An address as people read it. */
export function Who({ address }: { readonly address: string }) {
  const { login } = useLogin()
  return address === login?.address ? <>you</> : <Short hex={address} />
}

/** The ends of an address or a hash. The whole of it is in the tooltip. */
export function Short({ hex }: { readonly hex: string }) {
  return (
    <span className="hex" title={hex}>
      {short(hex)}
    </span>
  )
}
