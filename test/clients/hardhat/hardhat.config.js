import ethersPlugin from '@nomicfoundation/hardhat-ethers'
import helpersPlugin from '@nomicfoundation/hardhat-network-helpers'
import viemPlugin from '@nomicfoundation/hardhat-viem'
import { defineConfig } from 'hardhat/config'

export default defineConfig({
  plugins: [ethersPlugin, helpersPlugin, viemPlugin],
  networks: {
    // The chain's own accounts sign.
    dev: { type: 'http', chainType: 'l1', url: process.env.QUOIN_DEV },
    // Hardhat signs.
    network: {
      type: 'http',
      chainType: 'l1',
      url: process.env.QUOIN_NETWORK,
      accounts: {
        mnemonic: 'test test test test test test test test test test test junk',
        initialIndex: 8,
        count: 2,
      },
    },
  },
})
