/** Another process changed what the owner of a key works on. It starts again from the store. */
export class StaleError extends Error {}
