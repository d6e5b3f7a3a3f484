import { type Connector, useChainId, useConnect, useConnectors, useSwitchChain } from 'wagmi'
import { explain } from './errors.ts'
import { type Login, useLogin } from './login.tsx'
import { Short } from './who.tsx'

export function LoginPanel() {
  const { login, logOut } = useLogin()
  return (
    <section className="card" aria-labelledby="login-title">
      <div className="row">
        <h2 id="login-title">{login === undefined ? 'Log in' : 'You'}</h2>
        {login !== undefined && (
          <button type="button" className="quiet" onClick={logOut}>
            Log out
          </button>
        )}
      </div>
      {login === undefined ? <LogIn /> : <LoggedIn login={login} />}
    </section>
  )
}

function LogIn() {
  const { logInWithLocalKey } = useLogin()
  const wallets = useWallets()
  const connect = useConnect()
  return (
    <>
      <p>Everybody can read the board. To change it, log in.</p>
      <div className="buttons">
        {wallets.map((wallet) => (
          <button
            key={wallet.uid}
            type="button"
            disabled={connect.isPending}
            onClick={() => connect.mutate({ connector: wallet })}
          >
            {wallet.icon !== undefined && <img src={wallet.icon.trim()} alt="" width="20" height="20" />}
            {wallet.id === 'injected' ? 'Wallet of this browser' : wallet.name}
          </button>
        ))}
      </div>
      {wallets.length === 0 && <p className="hint">No wallet was found in this browser. Install one, then reload the page.</p>}
      {connect.error !== null && (
        <p className="error" role="alert">
          {explain(connect.error)}
        </p>
      )}
      {logInWithLocalKey !== undefined && (
        <>
          <button type="button" className="quiet" onClick={logInWithLocalKey}>
            Development key
          </button>
          <p className="hint">A key that lies in this browser. It exists on development chains only, where it owns nothing.</p>
        </>
      )}
    </>
  )
}

/** Wallets that announced themselves; where none did, the one that older wallets put into the page. */
function useWallets(): readonly Connector[] {
  const connectors = useConnectors()
  const announced = connectors.filter(({ id }) => id !== 'injected')
  if (announced.length > 0) return announced
  return 'ethereum' in window ? connectors : []
}

function LoggedIn({ login }: { readonly login: Login }) {
  return (
    <>
      <p>
        <Short hex={login.address} /> {login.kind === 'wallet' ? `in ${login.wallet}` : 'with a development key'}
      </p>
      {login.kind === 'wallet' && !login.isOnChain && <SwitchChain wallet={login.wallet} />}
      {login.kind === 'local' && login.tracking?.durability === 'tab' && (
        <p className="hint">This browser stores nothing for the page: what is not sent yet is lost when the tab closes.</p>
      )}
      {login.kind === 'local' && login.tracking?.problem !== undefined && (
        <p className="error" role="alert">
          Earlier sends do not go on: {explain(login.tracking.problem)}
        </p>
      )}
    </>
  )
}

function SwitchChain({ wallet }: { readonly wallet: string }) {
  const chainId = useChainId()
  const change = useSwitchChain()
  return (
    <>
      <p>{wallet} is on another chain. It cannot send from here.</p>
      <button type="button" disabled={change.isPending} onClick={() => change.mutate({ chainId })}>
        Change to chain {chainId}
      </button>
      {change.error !== null && (
        <p className="error" role="alert">
          {explain(change.error)}
        </p>
      )}
    </>
  )
}
