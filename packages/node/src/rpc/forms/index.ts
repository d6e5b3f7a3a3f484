/** Forms of parameters and results as JSON schemas: what `rpc.discover` describes, and what tests compare answers with. */
export * from './chain.ts'
export * from './evidence.ts'
export * from './explorer.ts'
export * from './json-schema.ts'
export * from './registry.ts'
export * from './streams.ts'
export * from './traces.ts'
export * from './values.ts'
