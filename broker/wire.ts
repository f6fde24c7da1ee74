/**
 * The messages of `perspective.v1`, as docs/PROTOCOL.md has them. A message is an array whose first element is its
 * kind; one that carries tagged values or bytes has the kind's twin, `kind | TAGGED`, and the number of bytes as
 * its last element.
 */

/** `[HELLO, root (0|1), info?]` either way, once: my root is there. */
export const HELLO = 0
/** `[CALL, id, target, method, args]` caller → callee. */
export const CALL = 1
/** `[TELL, target, method, args]` caller → callee; no answer comes. */
export const TELL = 2
/** `[ANSWER, id, value?]` callee → caller; no value is `undefined`. */
export const ANSWER = 3
/** `[ERROR, id, code, message, data?]` callee → caller. */
export const ERROR = 4
/** `[RELEASE, id, count, …]` holder → owner, any number of pairs. */
export const RELEASE = 5
/** `[CANCEL, id]` caller → callee; nobody waits for the answer any more. */
export const CANCEL = 6
/** `[ABORT, id, reason?]` owner → receiver of a signal; it aborts, and the id is over. Without `reason`: undefined. */
export const ABORT = 7
/** `[FORGET, id]` owner → receiver of a signal; it will never abort, and the id is over. */
export const FORGET = 8

/** `[CHUNK, id, value]` producer → consumer of a stream. */
export const CHUNK = 9
/** `[END, id]` producer → consumer; nothing more comes. */
export const END = 10
/** `[FAIL, id, code, message, data?]` producer → consumer; nothing more comes. */
export const FAIL = 11
/** `[CREDIT, id, bytes]` consumer → producer; so much more may be sent. */
export const CREDIT = 12
/** `[STOP, id]` consumer → producer; nothing more is wanted. */
export const STOP = 13
/** `[UPDATE, id, patch]` owner → holder of a mirrored state. */
export const UPDATE = 14
/** `[NOTICE, value]` either way: plain JSON from whoever made the broker to its like; no answer comes. */
export const NOTICE = 15

/** Marks the twin of a kind whose values carry tags. */
export const TAGGED = 16

/** A frame's last element may be a number, the sum of these. Another frame of the same tick follows. */
export const CONTINUES = 1
/** The bytes that the frame's tags speak of are the next frame, as they are. */
export const BYTES_FOLLOW = 2

/** A frame whose bytes follow has at most so many UTF-16 units: it is kept until they are there. */
export const MAX_ANNOUNCEMENT = 1024

/** The peer's root; its id is never released. */
export const ROOT_ID = 0

/** Closes a frame at about this many bytes, so that the peer works on it while the rest is written. */
export const FRAME_TARGET_BYTES = 16_384

/** Tags: an array whose first element is a string that begins with `$` is not an array. */
export const TAG_LITERAL = '$'
export const TAG_UNDEFINED = '$u'
export const TAG_NUMBER = '$n'
export const TAG_DATE = '$d'
export const TAG_BIGINT = '$i'
export const TAG_MAP = '$m'
export const TAG_SET = '$s'
export const TAG_BYTES = '$b'
export const TAG_ERROR = '$e'
/** An object of the sender. */
export const TAG_OBJECT = '$r'
/** A function of the sender. */
export const TAG_FUNCTION = '$f'
/** An object or function of the receiver, sent home. */
export const TAG_HOME = '$y'
/** A live signal of the sender; or, with id 0 and a reason, one that has aborted. */
export const TAG_SIGNAL = '$a'
/** An instance of a class that both sides have registered. */
export const TAG_COPY = '$o'
/** A stream of the sender. */
export const TAG_STREAM = '$t'
/** An object of the sender whose state is mirrored, with the state. */
export const TAG_MIRROR = '$c'
/** The result of a call of the same tick; only as a whole argument. */
export const TAG_RESULT = '$p'

/** Close codes that this room sends; the whole table is in docs/PROTOCOL.md. */
export const CLOSE_NORMAL = 1000
export const CLOSE_LOST = 1006
export const CLOSE_FAILED = 1011
export const CLOSE_PROTOCOL = 4400
export const CLOSE_SLOW_PEER = 4413

export const UTF8: TextEncoder = new TextEncoder()

/** RFC 6455 section 5.5: a control frame carries 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 125 - 2

/** Cuts a close reason to what a close frame can carry, never inside a character. */
export function clampReason(reason: string): string {
  const { read } = UTF8.encodeInto(reason, new Uint8Array(MAX_REASON_BYTES))
  return reason.slice(0, read)
}

/**
 * What goes to whoever made the other broker, as JSON.
 *
 * @throws TypeError - JSON does not say it.
 */
export function plainJson(name: string, value: unknown): string {
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) throw new TypeError(`${name}: expected plain JSON, got ${typeof value}`)
  return json
}
