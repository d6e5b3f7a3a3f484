import { existsSync } from 'node:fs'

/** The browser for tests of the page. */
export const CHROMIUM = process.env['QUOIN_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

const ADVICE = 'Debian: apt-get install chromium. Or set QUOIN_TEST_CHROMIUM to the file of a Chromium.'
if (!hasChromium) {
  // Where a browser is known to be, its tests must not be left out without notice.
  if (process.env['QUOIN_TEST_BROWSER'] === 'required') throw new Error(`There is no browser at ${CHROMIUM}. ${ADVICE}`)
  console.log(`No browser at ${CHROMIUM}: its tests are left out. ${ADVICE}`)
}
