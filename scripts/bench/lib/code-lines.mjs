/**
 * Counts the lines of a TypeScript or Solidity program that are neither blank nor comments.
 *
 * @param {string} text
 */
export const codeLines = (text) => text.split('\n').filter((line) => !/^\s*(?:\/\/|\/\*|\*|$)/.test(line)).length
