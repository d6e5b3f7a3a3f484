import { codec, type TimeMs } from '@quoin/protocol'

/** First byte of the question for a peer's time, and the whole of it; the rest of the space belongs to other parts. */
export const CLOCK_REQUEST = 0x03

export const clockQuestion = Uint8Array.of(CLOCK_REQUEST)

/** The answer: the peer's wall clock in milliseconds since the Unix epoch. A claim. */
export const clockAnswerCodec: codec.Codec<TimeMs> = codec.u64<TimeMs>()
