import { defineConfig } from 'vitest/config'

/** Our packages from their sources. `import` or `require` is added as the case is: naming one here would break CommonJS packages. */
const conditions = ['@quoin/source', 'module', 'node']

/** Names of the suites that `npm test` runs one after another; each is a vitest project. */
const project = (name: string, include: string[], testTimeout: number) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@quoin/source'] } },
  test: {
    name,
    include,
    setupFiles: ['test/replay.ts'],
    testTimeout,
    hookTimeout: testTimeout,
    retry: 0,
    pool: 'forks' as const,
  },
})

/** So many files at a time: on two cores vitest takes one by itself. A project with workers of its own needs a group of its own. */
const withWorkers = (maxWorkers: number, { test, ...rest }: ReturnType<typeof project>) => ({
  ...rest,
  test: { ...test, maxWorkers, sequence: { groupOrder: 1 } },
})

/** Files share their processes, and with them the modules that were loaded. */
const withoutIsolation = ({ test, ...rest }: ReturnType<typeof project>) => ({ ...rest, test: { ...test, isolate: false } })

/** A module that prepares, before the first file, what all files use. */
const withSetup = (globalSetup: string, { test, ...rest }: ReturnType<typeof project>) => ({
  ...rest,
  test: { ...test, globalSetup },
})

export default defineConfig({
  test: {
    // For `npm run coverage`. Files that no test loads count too, with no line covered.
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts'],
      reporter: ['json-summary'],
      reportsDirectory: 'coverage',
    },
    projects: [
      // A process for each of 140 files would take longer than the tests do.
      withWorkers(2, withoutIsolation(project('unit', ['packages/*/{src,test}/**/*.test.ts', 'test/*.test.ts'], 20_000))),
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/{src,test}/**/*.test-d.ts', 'test/**/*.test-d.ts'],
            tsconfig: 'tsconfig.test.json',
          },
        },
      },
      project('conformance', ['test/conformance/**/*.test.ts', 'test/byzantine/**/*.test.ts'], 60_000),
      withoutIsolation(project('standards', ['test/standards/**/*.test.ts'], 60_000)),
      project('sim', ['test/sim/**/*.test.ts'], 240_000),
      // One file at a time: each runs networks of four processes, and two of those on two cores take longer together than one after the other.
      project('e2e', ['test/e2e/**/*.test.ts'], 180_000),
      withSetup('test/clients/setup.ts', project('clients', ['test/clients/**/*.test.ts'], 60_000)),
      withoutIsolation(project('sdk', ['test/sdk/**/*.test.ts'], 120_000)),
      withoutIsolation(project('examples', ['examples/*/test/**/*.test.ts'], 60_000)),
      project('pressure', ['test/pressure/**/*.test.ts'], 120_000),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 60_000),
    ],
  },
})
