import { posix } from 'node:path'
import { missingEntries } from '../../scripts/lib/lock.mjs'
import type { Scanned } from './scan.ts'

/** What a rule finds: where in the file, and what is wrong. */
export interface Finding {
  /** Offset in the text, in UTF-16 units. */
  readonly offset: number
  readonly message: string
}

/** A rule is a pure function of a file's path (from the root, with slashes) and its text. */
export type Rule = (path: string, source: Scanned) => readonly Finding[]

const purePackages = ['protocol', 'consensus', 'execution']
const linesMax = 500

const isTest = (path: string) =>
  /\.test(-d)?\.tsx?$/.test(path) || path.startsWith('test/') || /^packages\/[^/]+\/test\//.test(path)
const isScript = (path: string) => /\.(tsx?|mjs|js|cjs)$/.test(path)
const packageOf = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1]
/** What runs in contracts is as pure as what runs them. */
const pureFolders = /^packages\/contracts\/src\/(?:kit|standards)\//
const isPure = (path: string) =>
  isScript(path) && !isTest(path) && (purePackages.includes(packageOf(path) ?? '') || pureFolders.test(path))

/** A rule that says the same of every match of a pattern in one view of the file. */
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

/** What would make two nodes disagree: time, chance, locale, the machine. */
const purity: Readonly<Record<string, Rule>> = {
  'no-ambient-power': matches(
    'code',
    /(?<![\w$.])(?:Date\s*\.\s*now|new\s+Date|Math\s*\.\s*random|performance\s*\.|process\s*\.|set(?:Timeout|Interval|Immediate)\s*\(|queueMicrotask\s*\(|crypto\s*\.\s*(?:getRandomValues|randomUUID|subtle)|globalThis\s*\.)/g,
    (match) => `a pure package takes this power as an argument: ${match[0].trim()}`,
    isPure,
  ),
  'no-locale': matches(
    'code',
    /\.toLocale\w*|(?<![\w$.])Intl\s*\.|\.localeCompare/g,
    (match) => `depends on the locale: ${match[0]}`,
    isPure,
  ),
  'no-for-in': matches(
    'code',
    /\bfor\s*\(\s*(?:const|let|var)\s+[\w$]+\s+in\b/g,
    'for..in has no order to rely on; use Object.keys on a sorted list or a Map',
    isPure,
  ),
  'no-parse-float': matches('code', /\bparseFloat\b/g, 'no floats in what nodes must agree on', isPure),
  'synchronous-consensus': matches(
    'code',
    /\b(?:async|await)\b/g,
    'consensus is synchronous: no timer and no promise lies in the way of a vote',
    (path) => isPure(path) && packageOf(path) === 'consensus',
  ),
}

/** Habits that hide faults. */
const habits: Readonly<Record<string, Rule>> = {
  'file-length': (path, { text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
    return isScript(path) && lines > linesMax ? [{ offset: text.length - 1, message: `${lines} lines, at most ${linesMax}` }] : []
  },
  'every-test-runs': matches(
    'code',
    /\b(?:describe|it|test|suite|bench)\b(?:\.\w+)*\.(?:only|skip|todo|fails)\b|\b(?:ctx|context|task)\.skip\s*\(/g,
    (match) => `a test is left out: ${match[0]}`,
    isScript,
  ),
  'no-retry': matches(
    'code',
    /\bretry\s*:\s*(?!0\b)[\w{]/g,
    'a retry hides a flaky test',
    (path) => isTest(path) || path === 'vitest.config.ts',
  ),
  'no-empty-catch': matches(
    'code',
    /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\s*\(\s*(?:async\s+)?(?:\(\s*[\w$]*\s*\)|[\w$]+)\s*=>\s*\{\s*\}\s*\)|^[^=\n]*\.catch\(\(?\w*\)? => (?:undefined|null)\)/gm,
    'an error is swallowed; handle it, or let it pass',
    isScript,
  ),
  'no-sleep': matches(
    'code',
    /\bsetTimeout\s*\(\s*(?:r|res|resolve|resolved|done|ok|next|fulfill?)\s*[,)]|promisify\s*\(\s*setTimeout\b/g,
    'wait for the event, not for some time',
    // A load generator's pauses are the load.
    (path) => isScript(path) && !path.startsWith('scripts/bench/'),
  ),
  'no-sleep-import': matches(
    'text',
    /\bsetTimeout\b[^;'"]*\bfrom\s+['"](?:node:)?timers\/promises['"]/g,
    'wait for the event, not for some time',
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
    'do it, or open an issue',
    isScript,
  ),
}

/** Nothing tells where the project was written. The patterns are spelt so that this file does not match itself. */
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
          message: `no entry for ${name}: npm ci fails everywhere (node scripts/complete-lock.mjs)`,
        }))
      : [],
}

/** All rules by name. Who may import whom is in `.dependency-cruiser.mjs`. */
export const rules = { ...purity, ...habits, ...origin, ...lock }
