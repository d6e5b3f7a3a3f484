import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Program, ROOT, run } from './e2e/program.ts'

/** Runs what CI runs before the tests, with nothing but `bash` to be found. */
async function install(env: NodeJS.ProcessEnv) {
  const folder = await mkdtemp(join(tmpdir(), 'quoin-ci-'))
  try {
    await symlink('/bin/bash', join(folder, 'bash'))
    return await run(new Program('/bin/bash', [join(ROOT, '.ci', 'chromium')], { env: { PATH: folder, ...env } }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('takes the browser that is there', async () => {
  const { code, output } = await install({ QUOIN_TEST_CHROMIUM: process.execPath })
  expect([code, output]).toEqual([0, `chromium: using ${process.execPath}\n`])
})

it('says why there is none, and leaves it to the tests to fail', async () => {
  const named = await install({ QUOIN_TEST_CHROMIUM: '/no/such/browser' })
  expect(named).toMatchObject({ code: 0, output: expect.stringContaining('/no/such/browser, which is no program') })
})
