import type { BrowserContext } from 'playwright-core'
import { createWalletClient, type Hex, http, type SendTransactionParameters } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'

/** EIP-1193 codes. */
const REJECTED = 4001
const UNKNOWN_CHAIN = 4902

type Answer = { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } }

/**
 * A wallet as a browser extension is one: it announces itself by EIP-6963 and speaks EIP-1193 with pages, holds a real key, and sends to a node of its
 * own choice.
 */
export class TestWallet {
  /** The chain that it is on. At first one that no page here uses. */
  chainId = 1
  /** Its user declines the next request. */
  declinesNext = false
  /** Its user has connected it to the page. Until then it shows no account. */
  #isConnected = false
  readonly #account: PrivateKeyAccount
  readonly #url: string

  constructor(account: PrivateKeyAccount, url: string) {
    this.#account = account
    this.#url = url
  }

  /** Puts the wallet into every page that is opened from now on. */
  async installIn(context: BrowserContext): Promise<void> {
    await context.exposeFunction('askTestWallet', (method: string, params: readonly unknown[]) => this.#answer(method, params))
    await context.addInitScript(announce)
  }

  async #answer(method: string, params: readonly unknown[]): Promise<Answer> {
    if (this.declinesNext && /^(eth_requestAccounts|eth_sendTransaction|wallet_)/.test(method)) {
      this.declinesNext = false
      return { error: { code: REJECTED, message: 'User rejected the request.' } }
    }
    try {
      return { result: await this.#do(method, params) }
    } catch (failure) {
      const { code = -32_603, message } = failure as { readonly code?: number; readonly message: string }
      return { error: { code, message } }
    }
  }

  async #do(method: string, params: readonly unknown[]): Promise<unknown> {
    const [first] = params as [Record<string, unknown>]
    const client = createWalletClient({ account: this.#account, transport: http(this.#url) })
    switch (method) {
      case 'eth_requestAccounts':
        this.#isConnected = true
        return [this.#account.address]
      case 'eth_accounts':
        return this.#isConnected ? [this.#account.address] : []
      case 'eth_chainId':
        return `0x${this.chainId.toString(16)}`
      case 'wallet_requestPermissions':
        this.#isConnected = true
        return [
          { parentCapability: 'eth_accounts', caveats: [{ type: 'restrictReturnedAccounts', value: [this.#account.address] }] },
        ]
      case 'wallet_revokePermissions':
        this.#isConnected = false
        return null
      case 'wallet_switchEthereumChain':
        if (Number(first['chainId']) !== (await client.getChainId()))
          throw Object.assign(new Error('unknown chain'), { code: UNKNOWN_CHAIN })
        this.chainId = Number(first['chainId'])
        return null
      case 'eth_sendTransaction': {
        const { to, data } = first as { readonly to: Hex; readonly data: Hex }
        return client.sendTransaction({ chain: null, to, data } as SendTransactionParameters)
      }
      default:
        return client.request({ method, params } as never)
    }
  }
}

/** Runs in the page: EIP-1193 over the function above, announced by EIP-6963. */
function announce(): void {
  const page = globalThis as unknown as Window & {
    askTestWallet(method: string, params: readonly unknown[]): Promise<Answer>
  }
  const listeners = new Map<string, Set<(value: unknown) => void>>()
  const provider = {
    async request({ method, params = [] }: { readonly method: string; readonly params?: readonly unknown[] }) {
      const answer = await page.askTestWallet(method, params)
      if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code })
      if (method === 'wallet_switchEthereumChain')
        for (const listener of listeners.get('chainChanged') ?? []) listener((params[0] as { readonly chainId: string }).chainId)
      return answer.result
    },
    on: (event: string, listener: (value: unknown) => void) =>
      void listeners.set(event, (listeners.get(event) ?? new Set()).add(listener)),
    removeListener: (event: string, listener: (value: unknown) => void) => void listeners.get(event)?.delete(listener),
  }
  const icon =
    'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="orange"/></svg>'
  const info = { uuid: '350670db-19fa-4704-a166-e52e178b59d2', name: 'Test Wallet', icon, rdns: 'example.test-wallet' }
  const detail = Object.freeze({ info: Object.freeze(info), provider })
  const tell = () => void page.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  page.addEventListener('eip6963:requestProvider', tell)
  tell()
}
