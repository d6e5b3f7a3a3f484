/** A field of the state as the layout records it: its name and, in one canonical text, what it is. */
export interface LayoutField {
  readonly name: string
  /** `value(uint256)`, `mapping(address,mapping(address,uint256))`, … */
  readonly type: string
}

/** What a contract declared beside its code, parts included. */
export interface Description {
  /** Items as they were declared: human-readable lines or JSON. */
  readonly abi: readonly unknown[]
  readonly layout: readonly LayoutField[]
  /** `none`, `deployer` or an address. */
  readonly upgradeAuthority: string
  /** Names or signatures of functions that may be entered while the contract is under way. */
  readonly reentrant: readonly string[]
}

const descriptions = new WeakMap<object, Description>()

/** Remembers what the module of a contract declared. */
export function describe(module: object, description: Description): void {
  descriptions.set(module, description)
}

/** What `contract` was given for this module; undefined for anything else. For the build: no contract imports this. */
export const descriptionOf = (module: unknown): Description | undefined =>
  typeof module === 'object' && module !== null ? descriptions.get(module) : undefined
