/**
 * Lines of a program in TypeScript or Solidity that are neither blank nor a comment.
 *
 * @param {string} text
 */
export const codeLines = (text) => text.split('\n').filter((line) => !/^\s*(?:\/\/|\/\*|\*|$)/.test(line)).length
