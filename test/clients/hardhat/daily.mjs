// What users of Hardhat do, against a development chain (QUOIN_DEV) and a validator (QUOIN_NETWORK), with the artifact of `quoin build` whose path
// is the argument. Prints the name of each part when it has passed.
import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import { network } from 'hardhat'

const { abi, bytecode } = await import(pathToFileURL(process.argv[2]).href)

async function viemOn(name) {
  const { viem } = await network.create({ network: name })
  const client = await viem.getPublicClient()
  const [wallet, other] = await viem.getWalletClients()
  const settled = async (hash) => client.waitForTransactionReceipt({ hash, pollingInterval: 50 })
  assert.equal(await client.getChainId(), 31_337)
  const to = '0x00000000000000000000000000000000c11e8888'
  const before = await client.getBalance({ address: to })
  assert.equal((await settled(await wallet.sendTransaction({ to, value: 5n }))).status, 'success')
  assert.equal(await client.getBalance({ address: to }), before + 5n)
  const deployed = await settled(await wallet.deployContract({ abi, bytecode, args: ['Fish', 7n] }))
  const contract = { address: deployed.contractAddress, abi }
  assert.equal(await client.readContract({ ...contract, functionName: 'title' }), 'Fish')
  const hash = await wallet.writeContract({ ...contract, functionName: 'offer', args: ['cod', 5n, []] })
  const { blockNumber } = await settled(hash)
  const events = await client.getContractEvents({ ...contract, eventName: 'Offered', fromBlock: blockNumber })
  assert.equal(events[0].args.name, 'cod')
  const buy = { ...contract, functionName: 'buy', args: [0n], value: 4n, account: other.account }
  await assert.rejects(client.simulateContract(buy), /WrongPrice/)
  const bought = await settled(await other.writeContract({ ...buy, value: 5n }))
  assert.equal(bought.status, 'success')
  console.log(`viem on ${name}`)
}

async function ethersOn(name) {
  const { ethers, provider } = await network.create({ network: name })
  const [signer, other] = await ethers.getSigners()
  assert.equal((await ethers.provider.getNetwork()).chainId, 31_337n)
  const sent = await signer.sendTransaction({ to: other.address, value: 5n })
  assert.equal((await sent.wait()).status, 1)
  const factory = await ethers.getContractFactory(abi, bytecode, signer)
  const contract = await factory.deploy('Fish', 7n)
  await contract.waitForDeployment()
  assert.equal(await contract.title(), 'Fish')
  const receipt = await (await contract.offer('cod', 5n, [])).wait()
  assert.equal(contract.interface.parseLog(receipt.logs[0]).args.name, 'cod')
  await assert.rejects(contract.connect(other).buy(0n, { value: 4n }), /WrongPrice|reverted/)
  assert.equal((await (await contract.connect(other).buy(0n, { value: 5n })).wait()).status, 1)
  assert.equal((await contract.queryFilter(contract.filters.Bought(0n))).length, 1)
  assert.match(await provider.request({ method: 'eth_chainId' }), /^0x7a69$/)
  console.log(`ethers on ${name}`)
}

async function helpersOnDev() {
  const { ethers, networkHelpers, viem } = await network.create({ network: 'dev' })
  const { time } = networkHelpers
  const [signer] = await ethers.getSigners()
  const whale = '0x00000000000000000000000000000000000beef0'

  const height = await time.latestBlock()
  const snapshot = await networkHelpers.takeSnapshot()
  await networkHelpers.mine(5, { interval: 10 })
  assert.equal(await time.latestBlock(), height + 5)
  await networkHelpers.mineUpTo(height + 8)
  assert.equal(await time.latestBlock(), height + 8)
  const start = await time.latest()
  await time.increase(3_600)
  assert.ok((await time.latest()) >= start + 3_600)
  await time.increaseTo(start + 10_000)
  assert.equal(await time.latest(), start + 10_000)
  await time.setNextBlockTimestamp(start + 20_000)
  await (await signer.sendTransaction({ to: whale, value: 1n })).wait()
  assert.equal(await time.latest(), start + 20_000)

  await networkHelpers.setBalance(whale, 10n ** 18n)
  await networkHelpers.setNonce(whale, 7)
  await networkHelpers.impersonateAccount(whale)
  const impersonated = await ethers.getSigner(whale)
  const sent = await impersonated.sendTransaction({ to: signer.address, value: 1n })
  assert.equal(sent.nonce, 7)
  assert.equal((await sent.wait()).status, 1)
  await networkHelpers.stopImpersonatingAccount(whale)
  await networkHelpers.setCode('0x00000000000000000000000000000000000c0de0', bytecode)
  // An index of 32 bytes: a smaller one names a shorter key when it is set, but not when it is read.
  await networkHelpers.setStorageAt('0x00000000000000000000000000000000000c0de0', 2n ** 255n, 2)
  assert.equal(BigInt(await networkHelpers.getStorageAt('0x00000000000000000000000000000000000c0de0', 2n ** 255n)), 2n)

  await snapshot.restore()
  assert.equal(await time.latestBlock(), height)
  assert.equal(await ethers.provider.getBalance(whale), 0n)

  const deploy = async () => {
    const contract = await (await ethers.getContractFactory(abi, bytecode, signer)).deploy('Fish', 7n)
    await contract.waitForDeployment()
    return contract
  }
  const first = await networkHelpers.loadFixture(deploy)
  await (await first.rate(3n)).wait()
  const again = await networkHelpers.loadFixture(deploy)
  assert.equal(await again.getAddress(), await first.getAddress())
  assert.equal(await again.rating(), 0n)

  const test = await viem.getTestClient()
  await test.mine({ blocks: 2 })
  const id = await test.snapshot()
  await test.setBalance({ address: whale, value: 9n })
  await test.revert({ id })
  assert.equal(await (await viem.getPublicClient()).getBalance({ address: whale }), 0n)
  console.log('network helpers on dev')
}

for (const name of ['dev', 'network']) {
  await viemOn(name)
  await ethersOn(name)
}
await helpersOnDev()
process.exit(0)
