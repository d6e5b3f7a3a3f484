import { posix } from 'node:path'
import { missingEntries } from '../../scripts/lib/lock.mjs'
import type { Scanned } from './scan.ts'

/** A violation of a rule. */
export interface Finding {
  /** Offset in the text, in UTF-16 units. */
  readonly offset: number
  readonly message: string
}

/** A rule: a pure function of a file's path (from the root, with slashes) and its text. */
export type Rule = (path: string, source: Scanned) => readonly Finding[]

const purePackages = ['protocol', 'consensus', 'execution']
const linesMax = 500

const isTest = (path: string) =>
  /\.test(-d)?\.tsx?$/.test(path) || path.startsWith('test/') || /^packages\/[^/]+\/test\//.test(path)
const isScript = (path: string) => /\.(tsx?|mjs|js|cjs)$/.test(path)
const packageOf = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1]
/** Code that runs in contracts must be as pure as the code that runs contracts. */
const pureFolders = /^packages\/contracts\/src\/(?:kit|standards)\//
const isPure = (path: string) =>
  isScript(path) && !isTest(path) && (purePackages.includes(packageOf(path) ?? '') || pureFolders.test(path))

/** Makes a rule that reports every match of a pattern in one view of a file. */
const matches =
  (
    view: keyof Scanned,
    pattern: RegExp,
    message: string | ((match: RegExpMatchArray) => string),
    applies: (path: string) => boolean,
  ): Rule =>
  (path, source) =>
    applies(path)
      ? [...source[view].matchAll(pattern)].map((match) => ({
          offset: match.index,
          message: typeof message === 'string' ? message : message(match),
        }))
      : []

/** Bans dependencies that would make nodes disagree: time, randomness, locale, the machine. */
const purity: Readonly<Record<string, Rule>> = {
  'no-ambient-power': matches(
    'code',
    /(?<![\w$.])(?:Date\s*\.\s*now|new\s+Date|Math\s*\.\s*random|performance\s*\.|process\s*\.|set(?:Timeout|Interval|Immediate)\s*\(|queueMicrotask\s*\(|crypto\s*\.\s*(?:getRandomValues|randomUUID|subtle)|globalThis\s*\.)/g,
    (match) => `a pure package must take this power as an argument: ${match[0].trim()}`,
    isPure,
  ),
  'no-locale': matches(
    'code',
    /\.toLocale\w*|(?<![\w$.])Intl\s*\.|\.localeCompare/g,
    (match) => `this depends on the locale: ${match[0]}`,
    isPure,
  ),
  'no-for-in': matches(
    'code',
    /\bfor\s*\(\s*(?:const|let|var)\s+[\w$]+\s+in\b/g,
    'for..in has no reliable order; use Object.keys on a sorted list, or a Map',
    isPure,
  ),
  'no-parse-float': matches('code', /\bparseFloat\b/g, 'nodes must agree on results: no floating-point numbers', isPure),
  'synchronous-consensus': matches(
    'code',
    /\b(?:async|await)\b/g,
    'consensus is synchronous: a vote must not wait for a timer or promise',
    (path) => isPure(path) && packageOf(path) === 'consensus',
  ),
}

/** Bans habits that hide faults. */
const habits: Readonly<Record<string, Rule>> = {
  'file-length': (path, { text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
    return isScript(path) && lines > linesMax
      ? [{ offset: text.length - 1, message: `${lines} lines, at most ${linesMax} are allowed` }]
      : []
  },
  'every-test-runs': matches(
    'code',
    /\b(?:describe|it|test|suite|bench)\b(?:\.\w+)*\.(?:only|skip|todo|fails)\b|\b(?:ctx|context|task)\.skip\s*\(/g,
    (match) => `all tests must run, but this leaves tests out: ${match[0]}`,
    isScript,
  ),
  'no-retry': matches(
    'code',
    /\bretry\s*:\s*(?!0\b)[\w{]/g,
    'a retry hides a flaky test: fix the test',
    (path) => isTest(path) || path === 'vitest.config.ts',
  ),
  'no-empty-catch': matches(
    'code',
    /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\s*\(\s*(?:async\s+)?(?:\(\s*[\w$]*\s*\)|[\w$]+)\s*=>\s*\{\s*\}\s*\)|^[^=\n]*\.catch\(\(?\w*\)? => (?:undefined|null)\)/gm,
    'an error is swallowed: handle it or rethrow it',
    isScript,
  ),
  'no-sleep': matches(
    'code',
    /\bsetTimeout\s*\(\s*(?:r|res|resolve|resolved|done|ok|next|fulfill?)\s*[,)]|promisify\s*\(\s*setTimeout\b/g,
    'wait for the event, not for a fixed time',
    // Load generators need pauses.
    (path) => isScript(path) && !path.startsWith('scripts/bench/'),
  ),
  'no-sleep-import': matches(
    'text',
    /\bsetTimeout\b[^;'"]*\bfrom\s+['"](?:node:)?timers\/promises['"]/g,
    'wait for the event, not for a fixed time',
    (path) => isScript(path) && path !== 'test/tidy.test.ts',
  ),
  'no-hidden-require': matches(
    'text',
    /createRequire\(import\.meta\.url\)\(['"](?![^'"]*package\.json['"])/g,
    'the walls do not see this import: name the function `require` first',
    (path) => isScript(path) && path.startsWith('packages/'),
  ),
  'no-promises-in-comments': matches(
    'comments',
    new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g'),
    'do it now, or open an issue',
    isScript,
  ),
}

/** The text must not tell where the project was written. The patterns are written so that this file does not match itself. */
const origin: Readonly<Record<string, Rule>> = {
  'no-local-path': matches('text', /(?<![A-Za-z0-9_.])\/(?:work|farm|root)(?=\/)\//g, 'a path of one machine', () => true),
  'no-workplace-word': matches('text', /\bsub[a]gent/gi, 'a word of the workplace, not of the project', () => true),
  'no-registry-in-lock': matches(
    'text',
    /"resolved": "[a-z+]+:\/\/[^"]*"/g,
    'a lock file names versions and hashes, not hosts (npm: omit-lockfile-registry-resolved)',
    (path) => posix.basename(path) === 'package-lock.json',
  ),
}

const lock: Readonly<Record<string, Rule>> = {
  'lock-fits-every-platform': (path, { text }) =>
    path === 'package-lock.json'
      ? missingEntries(JSON.parse(text).packages).map(({ by, name }) => ({
          offset: Math.max(0, text.indexOf(`"${by}"`)),
          message: `no entry for ${name}: npm ci fails on all platforms. Run node scripts/complete-lock.mjs`,
        }))
      : [],
}

/** All rules by name. Who may import whom is in `.dependency-cruiser.mjs`. */
export const rules = { ...purity, ...habits, ...origin, ...lock }
