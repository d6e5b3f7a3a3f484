import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { built, complaints, Project } from '../../test/build/project.ts'
import { TOKEN } from '../../test/build/sources.ts'
import { checkLayout } from './layout.ts'

const field = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), type: fc.constantFrom('value(bool)', 'value(uint256)') })
const layout = fc.uniqueArray(field, { selector: ({ name }) => name })

describe('a layout', () => {
  it('can replace another exactly if all of its fields are unchanged', () => {
    fc.assert(
      fc.property(layout, layout, (former, next) => {
        const kept = (one: (typeof former)[number]) => next.some(({ name, type }) => name === one.name && type === one.type)
        expect(checkLayout(former, next).map(({ name }) => name)).toEqual(
          former.filter((one) => !kept(one)).map(({ name }) => name),
        )
      }),
    )
  })

  it('that cannot replace the deployed one is an error at the declaration of the state', async () => {
    const project = new Project({ 'contracts/token.ts': TOKEN })
    try {
      built(await project.build(['contracts/token.ts'], { outDir: 'deployed' }))
      const against = { against: [join('deployed', 'token.js')] }
      built(await project.build(['contracts/token.ts'], against))
      project.write({
        'contracts/token.ts': TOKEN.replace("supply: value('uint256')", "supply: value('uint128'), more: value('bool')").replace(
          /^ {4}state\.supply.*\n/m,
          '',
        ),
      })
      expect(complaints(await project.build(['contracts/token.ts'], against))).toEqual([
        'contracts/token.ts:11:35: state.supply changed from value(uint256) to value(uint128). Keep the old field, and declare a new one that reads through to it',
      ])
      project.write({
        'contracts/token.ts': TOKEN.replace(/^ {4}state\.supply.*\n/m, '').replace("supply: value('uint256'), ", ''),
      })
      expect(complaints(await project.build(['contracts/token.ts'], against))).toEqual([
        expect.stringMatching(/^contracts\/token\.ts:11:3: state\.supply is missing: it was value\(uint256\)/),
      ])
      // A contract that has another name now.
      project.write({
        'contracts/coin.ts': TOKEN.replace(/^ {4}state\.supply.*\n/m, '').replace("supply: value('uint256'), ", ''),
      })
      const coin = (text: string) => project.build(['contracts/coin.ts'], { against: [join('deployed', text)] })
      expect(complaints(await coin('token.js=coin'))).toEqual([
        expect.stringMatching(/^contracts\/coin\.ts:11:3: state\.supply is missing/),
      ])
      project.write({ 'contracts/coin.ts': TOKEN })
      built(await coin('token.js=coin'))
      expect(complaints(await coin('token.js'))).toEqual([
        'deployed/token.js: this is the artifact of contract token, which is not part of this build. If it has another name now, write deployed/token.js=<name>',
      ])
      expect(complaints(await coin('token.js=other'))).toEqual([
        'deployed/token.js: there is no contract other in this build to compare the artifact with',
      ])
      expect(complaints(await project.build(['contracts/token.ts'], { against: ['no.js'] }))).toEqual([
        'no.js: there is no such file',
      ])
      project.write({ 'other.js': 'export const name = "token"\nexport const layout = [5]\n' })
      expect(complaints(await project.build(['contracts/token.ts'], { against: ['release=2/token.js'] }))).toEqual([
        'release=2/token.js: there is no such file',
      ])
      expect(complaints(await project.build(['contracts/token.ts'], { against: ['other.js'] }))).toEqual([
        expect.stringMatching(/^other\.js: this file is not an artifact/),
      ])
    } finally {
      project.remove()
    }
  })
})
