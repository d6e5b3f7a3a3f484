import { codec, type TimeMs } from '@quoin/protocol'

/** First and only byte of a request for a peer's time. Other request types of the transport use other first bytes. */
export const CLOCK_REQUEST = 0x03

export const clockQuestion = Uint8Array.of(CLOCK_REQUEST)

/** The answer: the peer's wall clock in milliseconds since the Unix epoch. An unverified claim. */
export const clockAnswerCodec: codec.Codec<TimeMs> = codec.u64<TimeMs>()
