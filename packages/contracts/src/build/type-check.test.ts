import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { built, complaints, Project } from '../../test/build/project.ts'
import { ANSWER } from '../../test/build/sources.ts'
import { ProjectFiles } from './project-files.ts'
import { parseOutput } from './type-check.ts'

const DEPLOY = `import type { ContractFunctionReturnType } from 'viem'
import { abi, bytecode } from './out/good.js'
export const code: \`0x\${string}\` = bytecode
export const answer: ContractFunctionReturnType<typeof abi, 'view', 'answer'> = 5n
// @ts-expect-error a bigint
export const wrong: ContractFunctionReturnType<typeof abi, 'view', 'answer'> = 5
// @ts-expect-error no such function
export type Missing = ContractFunctionReturnType<typeof abi, 'view', 'missing'>
export const first: 'answer' = abi[0].name
`

describe("the author's own tsc", () => {
  it('finds type errors, together with errors of the bundler', async () => {
    const project = new Project({ 'contracts/token.ts': ANSWER("'text' + Date.now()"), 'contracts/good.ts': ANSWER('1n') })
    try {
      const found = complaints(await project.build(['contracts/token.ts'], { typeCheck: true }))
      expect(found).toContainEqual(expect.stringMatching(/^contracts\/token\.ts:6:19: .*\(TS2322\)/))
      expect(found).toContainEqual(expect.stringMatching(/^contracts\/token\.ts:6:28: Date is not available in contracts/))
      // The types of the artifact work with viem.
      built(await project.build(['contracts/good.ts'], { outDir: 'contracts/out' }))
      project.write({ 'contracts/token.ts': ANSWER('1n'), 'contracts/deploy.ts': DEPLOY })
      built(await project.build(['contracts/token.ts'], { typeCheck: true }))
    } finally {
      project.remove()
    }
  })

  it('is needed only for TypeScript entries', async () => {
    const project = new Project({ 'contracts/token.ts': ANSWER('1n'), 'contracts/plain.js': ANSWER('1n') })
    try {
      rmSync(join(project.root, 'node_modules', 'typescript'))
      expect(complaints(await project.build(['contracts/token.ts'], { typeCheck: true }))).toEqual([
        expect.stringMatching(/^package\.json: typescript is not installed/),
      ])
      rmSync(join(project.root, 'tsconfig.json'))
      expect(complaints(await project.build(['contracts/token.ts'], { typeCheck: true }))).toEqual([
        expect.stringMatching(/^tsconfig\.json: this file is missing/),
      ])
      built(await project.build(['contracts/plain.js'], { typeCheck: true }))
    } finally {
      project.remove()
    }
  })

  it('has its output parsed completely', () => {
    const output = [
      "contracts/a (1).ts(3,7): error TS2345: Argument of type 'A' is not",
      "  assignable to 'B'.",
      '    Because.',
      "error TS18003: No inputs were found in config file 'x'.",
      '',
    ].join('\r\n')
    expect(parseOutput(output, new ProjectFiles('.'))).toEqual([
      {
        file: 'contracts/a (1).ts',
        line: 3,
        column: 7,
        message: "Argument of type 'A' is not (TS2345)\n  assignable to 'B'.\n    Because.",
        lineText: '',
      },
      {
        file: 'tsconfig.json',
        line: undefined,
        column: undefined,
        message: "No inputs were found in config file 'x'. (TS18003)",
        lineText: '',
      },
    ])
  })
})
