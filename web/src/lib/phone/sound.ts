// What the phone does with sound besides carrying it: ringing, and how loud is what is sent and heard.

const RING_HZ = [440, 480] as const
const RING_ON_S = 1.2
const RING_EVERY_MS = 3_000
const RING_GAIN = 0.08

/** One per page: browsers allow few of them. */
let shared: AudioContext | undefined

function audio(): AudioContext {
  shared ??= new AudioContext()
  if (shared.state === 'suspended') void shared.resume()
  return shared
}

/** Ring until the returned function is called. A page that was never touched may have to stay silent. */
export function ring(): () => void {
  const context = audio()
  const volume = new GainNode(context, { gain: 0 })
  volume.connect(context.destination)
  const tones = RING_HZ.map((frequency) => {
    const tone = new OscillatorNode(context, { frequency })
    tone.connect(volume)
    tone.start()
    return tone
  })
  const once = () => {
    const now_s = context.currentTime
    volume.gain.setValueAtTime(RING_GAIN, now_s)
    volume.gain.setValueAtTime(0, now_s + RING_ON_S)
  }
  once()
  const again = setInterval(once, RING_EVERY_MS)
  return () => {
    clearInterval(again)
    for (const tone of tones) tone.stop()
    volume.disconnect()
  }
}

/** Measures one stream's energy. */
export class Meter {
  private readonly source: MediaStreamAudioSourceNode
  private readonly analyser: AnalyserNode
  private readonly samples: Float32Array<ArrayBuffer>

  constructor(stream: MediaStream) {
    const context = audio()
    this.source = context.createMediaStreamSource(stream)
    this.analyser = new AnalyserNode(context, { fftSize: 2048 })
    this.source.connect(this.analyser)
    this.samples = new Float32Array(this.analyser.fftSize)
  }

  /** Root mean square of the last 40 ms or so, in [0, 1]. */
  level(): number {
    this.analyser.getFloatTimeDomainData(this.samples)
    const squares = this.samples.reduce((sum, sample) => sum + sample * sample, 0)
    return Math.sqrt(squares / this.samples.length)
  }

  stop(): void {
    this.source.disconnect()
  }
}
