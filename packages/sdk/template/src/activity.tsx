import { streamContractEvents } from '@quoin/sdk'
import { useStream } from '@quoin/sdk/react'
import type { Board } from './board.ts'
import { explain } from './errors.ts'
import { Who } from './who.tsx'

/** Events on the page. */
const SHOWN_MAX = 20

/** The contract's events, from its deployment on, as they happen. None is lost or comes twice, even when a node dies. */
export function Activity({ board }: { readonly board: Board }) {
  const { items, error, status } = useStream({
    key: [board.address, board.block.toString()],
    open: (client, signal) => streamContractEvents(client, { ...board, from: { block: board.block }, signal }),
    limit: SHOWN_MAX,
  })
  return (
    <section className="card" aria-labelledby="activity-title">
      <h2 id="activity-title">What happens</h2>
      {error !== null && (
        <p className="error" role="alert">
          {explain(error)}
        </p>
      )}
      {items.length === 0 && <p className="hint">{status === 'pending' ? 'Listening …' : 'Nothing has happened yet.'}</p>}
      <ol className="activity" aria-live="polite">
        {items.toReversed().map((event) => (
          <li key={`${event.blockNumber} ${event.logIndex}`}>
            <span className="hint">block {String(event.blockNumber)}</span>{' '}
            {event.eventName === 'Added' ? (
              <>
                <Who address={event.args.author} /> added “{event.args.text}”
              </>
            ) : (
              <>
                <Who address={event.args.finisher} /> finished task {String(event.args.id)}
              </>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}
