/** What every library under measurement is asked to do, in its own documented way. */

/** The one method that either side calls at the other: answers its argument. */
export type Echo = (value: unknown) => Promise<unknown>

/** What one measurement counted. */
export interface Count {
  readonly calls: number
  readonly seconds: number
}

/** The load that a server is asked to put on the client that asks. */
export interface DriveOrder {
  readonly value: string
  readonly inFlight: number
  readonly seconds: number
}

/** One client's connection to its contender's server. */
export interface Connection {
  readonly echo: Echo
  /** The server calls this client's echo for a while and answers what it counted. */
  drive(order: DriveOrder): Promise<Count>
  close(): void
}

export interface Contender {
  readonly name: string
  /** Listens on a free port of the loopback interface; ends with the process. */
  serve(): Promise<number>
  connect(port: number): Promise<Connection>
}
