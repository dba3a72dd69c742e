// One call on the device: its session, its microphone, its loudspeaker. Told by JsSIP, tells the machine.
import type { RTCSession } from 'jssip/lib/RTCSession'
import { Meter } from './sound'
import { microphoneProblem, type PhoneEvent } from './state'

const MICROPHONE: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: false,
}
const SWITCH_MAX_MS = 5_000
const DECLINED = { status_code: 603, reason_phrase: 'Decline' }

export class Call {
  private microphone: MediaStream | undefined
  private readonly speaker = new Audio()
  private sent: Meter | undefined
  private heard: Meter | undefined
  private over = false

  constructor(
    private readonly session: RTCSession,
    readonly re_attached: boolean,
    private readonly tell: (event: PhoneEvent) => void,
  ) {
    this.speaker.autoplay = true
    session.on('peerconnection', ({ peerconnection }) => {
      peerconnection.addEventListener('track', ({ streams, track }) => this.play(streams[0] ?? new MediaStream([track])))
    })
    session.on('icecandidate', (event) => event.ready()) // host candidates are enough: nobody waits for the rest
    session.on('confirmed', () => this.told({ type: 'talks' }))
    session.on('hold', ({ originator }) => this.fromHere(originator) && this.told({ type: 'holds' }))
    session.on('unhold', ({ originator }) => this.fromHere(originator) && this.told({ type: 'talks' }))
    session.on('muted', () => this.told({ type: 'mutes', on: true }))
    session.on('unmuted', () => this.told({ type: 'mutes', on: false }))
    session.on('ended', () => this.finish())
    session.on('failed', () => this.finish())
  }

  get ringing(): boolean {
    return this.session.isInProgress() && this.microphone === undefined
  }

  /** Take it; a microphone that cannot be had leaves it ringing, with the reason told. */
  async answer(): Promise<void> {
    if (!this.ringing) return
    this.told({ type: 'answers' })
    let microphone: MediaStream
    try {
      microphone = await openMicrophone()
    } catch (error) {
      if (this.over) return
      this.tell({ type: 'rings', re_attached: this.re_attached })
      this.tell({ type: 'microphone', problem: microphoneProblem(error) })
      return
    }
    if (this.over) return letGo(microphone)
    this.microphone = microphone
    this.sent = new Meter(microphone)
    this.session.answer({ mediaStream: microphone, pcConfig: { iceServers: [] } })
  }

  hangUp(): void {
    if (this.over) return
    this.session.terminate(this.session.isEstablished() ? {} : DECLINED)
  }

  async hold(on: boolean): Promise<void> {
    if (this.over || !this.session.isEstablished() || this.session.isOnHold().local === on) return
    await new Promise<void>((done) => {
      const begun = on ? this.session.hold({}, done) : this.session.unhold({}, done)
      if (!begun) done()
      setTimeout(done, SWITCH_MAX_MS)
    })
  }

  mute(on: boolean): void {
    if (this.over) return
    if (on) this.session.mute({ audio: true })
    else this.session.unmute({ audio: true })
  }

  dtmf(digits: string): void {
    if (this.over || !/^[0-9*#A-D]{1,32}$/.test(digits)) return
    const how = { transportType: 'RFC2833', duration: 120, interToneGap: 120 }
    this.session.sendDTMF(digits, how as Parameters<RTCSession['sendDTMF']>[1])
  }

  levels(): { sent: number; heard: number } {
    return { sent: this.sent?.level() ?? 0, heard: this.heard?.level() ?? 0 }
  }

  /** Let go of sound and session without a word to the other side. */
  drop(): void {
    if (this.over) return
    this.finish()
    this.session.connection?.close()
  }

  private play(stream: MediaStream): void {
    if (this.over) return
    this.speaker.srcObject = stream
    void this.speaker.play().catch(() => undefined) // a page never touched: the first click starts it
    this.heard?.stop()
    this.heard = new Meter(stream)
  }

  private finish(): void {
    if (this.over) return
    this.over = true
    this.sent?.stop()
    this.heard?.stop()
    if (this.microphone !== undefined) letGo(this.microphone)
    this.speaker.srcObject = null
    this.tell({ type: 'ended' })
  }

  private told(event: PhoneEvent): void {
    if (!this.over) this.tell(event)
  }

  private fromHere(originator: string): boolean {
    return originator === 'local'
  }
}

/** Open the microphone. @throws DOMException as the browser says. */
export function openMicrophone(): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia(MICROPHONE)
}

export function letGo(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}
