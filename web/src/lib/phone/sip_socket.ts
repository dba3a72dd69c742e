// The socket under JsSIP: through our own origin, with a new one-time ticket for every connection. The server's
// closing codes say whether to come back.
import type { PhoneProblem } from './phone'

const REPLACED = 4001
const SIGNED_OUT = 4002
const FORBIDDEN = 1008

export interface SipSocketDoors {
  /** Called before every connection: a ticket, and whatever else must be fresh by then. */
  ticket(): Promise<string>
  /** The server will not have this page back. */
  ongiveup(problem: PhoneProblem): void
}

/** A socket as JsSIP wants one (its interface `Socket`). */
export class SipSocket {
  via_transport: string
  readonly url: string
  readonly sip_uri: string
  onconnect: () => void = () => {}
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => {}
  ondata: (event: unknown) => void = () => {}
  private socket: WebSocket | undefined
  private asking = false
  private ended = false

  constructor(
    path: string,
    private readonly doors: SipSocketDoors,
    at: { protocol: string; host: string } = location,
  ) {
    const secure = at.protocol === 'https:'
    this.url = `${secure ? 'wss' : 'ws'}://${at.host}${path}`
    this.via_transport = secure ? 'WSS' : 'WS'
    this.sip_uri = `sip:${at.host};transport=ws`
  }

  connect(): void {
    if (this.ended || this.asking || this.isConnecting() || this.isConnected()) return
    this.asking = true
    this.doors.ticket().then(
      (ticket) => this.open(ticket),
      () => this.failed(),
    )
  }

  disconnect(): void {
    const socket = this.socket
    this.socket = undefined
    if (socket === undefined) return
    socket.onopen = socket.onclose = socket.onmessage = null
    socket.close()
  }

  /** Let go for good; JsSIP's wish to come back is not followed. */
  end(): void {
    this.ended = true
    this.disconnect()
  }

  send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
    if (!this.isConnected()) return false
    this.socket?.send(message as string)
    return true
  }

  isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  isConnecting(): boolean {
    return this.socket?.readyState === WebSocket.CONNECTING
  }

  private open(ticket: string): void {
    this.asking = false
    if (this.ended) return
    const socket = new WebSocket(this.url, ['sip', `ticket.${ticket}`]) // an address would stand in logs
    this.socket = socket
    socket.onopen = () => this.onconnect()
    socket.onmessage = ({ data }) => this.ondata(data)
    socket.onclose = ({ code, reason, wasClean }) => {
      this.socket = undefined
      const problem = problemOf(code)
      if (problem !== undefined) {
        this.ended = true
        this.doors.ongiveup(problem)
      }
      this.ondisconnect(!wasClean, code, reason)
    }
  }

  private failed(): void {
    this.asking = false
    if (!this.ended) this.ondisconnect(true)
  }
}

function problemOf(code: number): PhoneProblem | undefined {
  if (code === REPLACED) return 'used_elsewhere'
  return code === SIGNED_OUT || code === FORBIDDEN ? 'registration_refused' : undefined
}
