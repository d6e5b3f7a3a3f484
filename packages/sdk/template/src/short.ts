/** The ends of an address or a hash, enough to tell it from others. */
export const short = (hex: string): string => `${hex.slice(0, 6)}…${hex.slice(-4)}`
