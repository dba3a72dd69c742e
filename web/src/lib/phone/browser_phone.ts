// The phone in this page, by JsSIP. It registers, rings, and comes back by itself. It never ends a call because
// the page goes away: a caller whose agent reloads hears music and is given back (X-Holdless-Answer).
import * as JsSIP from 'jssip'
import type { IncomingRTCSessionEvent, RTCSessionEvent, UA } from 'jssip/lib/UA'
import { Call, letGo, openMicrophone } from './call'
import type { Phone, PhoneProblem, PhoneState } from './phone'
import { SipSocket } from './sip_socket'
import { ring } from './sound'
import { microphoneProblem, next, OFF, type PhoneEvent } from './state'

const REGISTER_S = 60
const COMES_BACK_S_MAX = 4
const RENEW_SHARE = 0.5
const RENEW_AGAIN_MS = 10_000
const UNREGISTER_MS_MAX = 1_000

/** What a page registers with (`POST …/phone/credentials`). */
export interface Credentials {
  readonly sip_uri: string
  readonly username: string
  readonly password: string
  readonly websocket_path: string
  readonly expires_ms: number
}

/** What the phone asks of the server. */
export interface PhoneDoors {
  credentials(): Promise<Credentials>
  ticket(): Promise<string>
}

export class BrowserPhone implements Phone {
  state: PhoneState = OFF
  onchange: (state: PhoneState) => void = () => {}
  private ua: UA | undefined
  private socket: SipSocket | undefined
  private call: Call | undefined
  private renewal: ReturnType<typeof setTimeout> | undefined
  private silence: (() => void) | undefined
  private stopped = false

  constructor(private readonly doors: PhoneDoors) {}

  async start(): Promise<void> {
    if (this.ua !== undefined || this.stopped) return
    this.tell({ type: 'connecting' })
    let credentials: Credentials
    try {
      credentials = await this.doors.credentials()
    } catch (error) {
      this.tell({ type: 'gave_up', problem: 'server_away' })
      throw error
    }
    if (this.stopped) return
    JsSIP.debug.disable()
    const socket = new SipSocket(credentials.websocket_path, {
      ticket: async () => {
        const [ticket] = await Promise.all([this.doors.ticket(), this.renew()])
        return ticket
      },
      ongiveup: (problem) => this.giveUp(problem),
    })
    this.socket = socket
    this.ua = new JsSIP.UA({
      sockets: [socket],
      uri: credentials.sip_uri,
      authorization_user: credentials.username,
      password: credentials.password,
      register_expires: REGISTER_S,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: COMES_BACK_S_MAX,
      user_agent: 'Holdless',
    })
    this.ua.on('registered', () => this.tell({ type: 'registered' }))
    this.ua.on('disconnected', () => this.linkLost('server_away'))
    this.ua.on('registrationFailed', () => this.linkLost('registration_refused'))
    this.ua.on('newRTCSession', (event: RTCSessionEvent) => this.invited(event))
    this.ua.start()
  }

  async prepare(): Promise<void> {
    try {
      letGo(await openMicrophone())
      this.tell({ type: 'microphone', problem: null })
    } catch (error) {
      this.tell({ type: 'microphone', problem: microphoneProblem(error) })
    }
  }

  async answer(): Promise<void> {
    await this.call?.answer()
  }

  hangUp(): void {
    this.call?.hangUp()
  }

  async hold(): Promise<void> {
    await this.call?.hold(true)
  }

  async unhold(): Promise<void> {
    await this.call?.hold(false)
  }

  mute(on: boolean): void {
    this.call?.mute(on)
  }

  dtmf(digits: string): void {
    this.call?.dtmf(digits)
  }

  levels(): { sent: number; heard: number } | null {
    return this.call?.levels() ?? null
  }

  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    clearTimeout(this.renewal)
    const talking = this.call !== undefined
    this.call?.drop()
    if (!talking && this.ua?.isRegistered() === true) await this.unregister(this.ua)
    this.socket?.end()
    this.tell({ type: 'stopped' })
  }

  // ---------------------------------------------------------------- the link

  private async renew(): Promise<void> {
    clearTimeout(this.renewal)
    if (this.stopped) return
    try {
      const fresh = await this.doors.credentials()
      this.ua?.set('password', fresh.password)
      const left_ms = (fresh.expires_ms - Date.now()) * RENEW_SHARE
      this.renewal = setTimeout(() => void this.renew(), Math.max(left_ms, RENEW_AGAIN_MS))
    } catch {
      this.renewal = setTimeout(() => void this.renew(), RENEW_AGAIN_MS) // the present one holds for a while
    }
  }

  private linkLost(problem: 'server_away' | 'registration_refused'): void {
    if (!this.stopped && this.state.link !== 'failed') this.tell({ type: 'link_lost', problem })
  }

  private giveUp(problem: PhoneProblem): void {
    clearTimeout(this.renewal)
    this.call?.drop()
    this.call = undefined
    this.tell({ type: 'gave_up', problem })
  }

  private unregister(ua: UA): Promise<void> {
    return new Promise((done) => {
      ua.on('unregistered', () => done())
      setTimeout(done, UNREGISTER_MS_MAX)
      ua.unregister()
    })
  }

  // ---------------------------------------------------------------- calls

  private invited(event: RTCSessionEvent): void {
    if (event.originator !== 'remote') return
    const { session, request } = event as IncomingRTCSessionEvent
    const re_attached = request.getHeader('X-Holdless-Answer') === 'now'
    if (this.call !== undefined) {
      if (!re_attached) {
        session.terminate({ status_code: 486, reason_phrase: 'Busy Here' })
        return
      }
      this.call.drop() // the PBX has taken that leg down already; this one is the same conversation
    }
    const call = new Call(session, re_attached, (said) => this.callTold(call, said))
    this.call = call
    this.tell({ type: 'rings', re_attached })
    if (re_attached) void call.answer()
    else this.silence = ring()
  }

  private callTold(call: Call, event: PhoneEvent): void {
    if (this.call !== call) return
    if (event.type === 'ended') this.call = undefined
    this.tell(event)
  }

  private tell(event: PhoneEvent): void {
    const before = this.state
    this.state = next(before, event, Date.now())
    if (this.state.call?.phase !== 'ringing') {
      this.silence?.()
      this.silence = undefined
    }
    if (this.state !== before) this.onchange(this.state)
  }
}
