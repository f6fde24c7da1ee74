import type { BrokerOptions } from './broker-options.js'
import { Broker } from './broker.js'
import { transportPair } from './transport-pair.js'

/**
 * Connects two brokers in memory, for tests of what is called over them: everything crosses as it would over a socket.
 *
 * @param left - The options of the first end, whose root the second end calls.
 * @param right - The options of the second end, whose root the first end calls.
 * @returns The two ends, in the order of their options; closing either closes both.
 */
export function localPair<LeftRoot extends object = object, RightRoot extends object = object>(
  left: BrokerOptions = {},
  right: BrokerOptions = {},
): [left: Broker<RightRoot>, right: Broker<LeftRoot>] {
  const [leftEnd, rightEnd] = transportPair()
  return [new Broker<RightRoot>(leftEnd, left), new Broker<LeftRoot>(rightEnd, right)]
}
