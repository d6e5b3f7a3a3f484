import { EXIT_CODE, exitCodeOf } from '@quoin/node/process'
import { expect, it } from 'vitest'
import { CLI_VERSION } from './cli-version.ts'
import { fromValidator, VALIDATOR_TARBALL } from './validator-package.ts'

const missing = (name: string) => async () => {
  throw Object.assign(new Error(`Cannot find package '${name}' imported from /a.js`), { code: 'ERR_MODULE_NOT_FOUND' })
}

it('resolves to what was loaded', async () => {
  expect(await fromValidator(async () => 7)).toBe(7)
})

it('says what to type when the package is not installed', async () => {
  const failure = await fromValidator(missing('@quoin/validator'), () => false).catch((error: unknown) => error)
  expect(String(failure)).toContain(`Type: npm install --save-dev @quoin/validator@${CLI_VERSION}`)
  expect(exitCodeOf(failure)).toBe(EXIT_CODE.usage)
})

it('names the tarball in a created project', async () => {
  const isFile = (path: string) => path === VALIDATOR_TARBALL
  await expect(fromValidator(missing('@quoin/validator'), isFile)).rejects.toThrow(
    `Type: npm install --save-dev ./vendor/quoin-validator-${CLI_VERSION}.tgz`,
  )
})

it('passes every other failure on', async () => {
  await expect(fromValidator(missing('libp2p'))).rejects.toThrow("Cannot find package 'libp2p'")
})
