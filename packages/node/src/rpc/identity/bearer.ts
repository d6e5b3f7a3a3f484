/** Why there is no token to check, although the client sent something. */
export type CredentialFault = 'repeated' | 'malformed'

/** What a request carries to say who sends it. */
export type Credentials = { readonly token: string } | { readonly fault: CredentialFault } | undefined

/** Subprotocol that a WebSocket speaks if its client offers it beside a token. */
export const SUBPROTOCOL = 'quoin'
const TOKEN_SUBPROTOCOL = 'bearer.'

/**
 * The token of `Authorization` headers. Other schemes than Bearer are for a proxy in front of the node, and count as none.
 *
 * @param values - One for each time the header occurs: a second one is refused, because two readers could take different ones.
 */
export function credentialsOf(values: readonly string[] | undefined): Credentials {
  const [value, ...others] = values ?? []
  if (value === undefined) return undefined
  if (others.length > 0) return { fault: 'repeated' }
  const [, scheme = '', rest = ''] = /^(\S*) *(.*)$/.exec(value) ?? []
  if (scheme.toLowerCase() !== 'bearer') return undefined
  return rest === '' || rest.includes(' ') ? { fault: 'malformed' } : { token: rest }
}

/** The token of a WebSocket's upgrade: in the header, or in the subprotocol `bearer.<token>`, because browsers set no headers there. */
export function upgradeCredentials(authorization: readonly string[] | undefined, subprotocols: string | undefined): Credentials {
  const inHeader = credentialsOf(authorization)
  const tokens = (subprotocols ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(TOKEN_SUBPROTOCOL))
    .map((name) => name.slice(TOKEN_SUBPROTOCOL.length))
  const [token, ...others] = tokens
  if (token === undefined) return inHeader
  return inHeader !== undefined || others.length > 0 ? { fault: 'repeated' } : { token }
}

/** The subprotocol to answer with. The token is never sent back, because answers end in logs. */
export function chosenSubprotocol(offered: ReadonlySet<string>): string | false {
  if (offered.has(SUBPROTOCOL)) return SUBPROTOCOL
  for (const name of offered) if (!name.startsWith(TOKEN_SUBPROTOCOL)) return name
  return false
}
