/** What a validator does with a data directory: run it, reload its settings, check it. The code is the node's; this package installs what it needs. */
export { doctor, reload, start } from '@quoin/node/validator'
