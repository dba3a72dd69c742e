// One socket per page: it signs in with a one-time ticket, keeps the asked topics as live documents, and comes
// back by itself with its cursors. Changes are applied once per animation frame. Silence is told: `stale`.
import { SvelteMap } from 'svelte/reactivity'
import { api, answer } from '../api/client'
import { Pending, backoffMs, type ClientFrame, type ServerFrame } from './protocol'
import type { DocumentOf, KeyOf, PrefixOf, TopicName, ValueOf } from './topics'

const SILENT_MS = 5_000
const PING_MS = 2_000
const HIDDEN_FRAME_MS = 1_000

/** A topic's document: key → value, reactive by key. */
export class Topic<Document> {
  readonly data = new SvelteMap<string, unknown>()
  readonly pending = new Pending()
  /** Set when the server refused the topic. */
  refused = $state<string | undefined>()
  /** Whether a first snapshot has come. */
  ready = $state(false)
  users = 0

  constructor(readonly name: string) {}

  /** The value of a key, if it is there. */
  get<Key extends KeyOf<Document>>(key: Key): ValueOf<Document, Key> | undefined {
    return this.data.get(key) as ValueOf<Document, Key> | undefined
  }

  /** All values whose key begins with *prefix*, in the order of their keys. */
  all<Prefix extends PrefixOf<Document>>(prefix: Prefix): ValueOf<Document, `${Prefix}${string}`>[] {
    return [...this.data.entries()]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, value]) => value as ValueOf<Document, `${Prefix}${string}`>)
  }
}

export class LiveSocket {
  /** `connecting` before the first hello, `live` while frames come, `stale` when they do not. */
  status = $state<'connecting' | 'live' | 'stale'>('connecting')
  /** Since when nothing has been heard, in epoch milliseconds; null while it is. */
  silentSinceMs = $state<number | null>(null)
  private readonly topics = new Map<string, Topic<unknown>>()
  private socket: WebSocket | undefined
  private offsetMs = 0
  private heardMs = Date.now()
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private beat: ReturnType<typeof setInterval> | undefined
  private frameAsked = false
  private closed = false
  private readonly waiting: ClientFrame[] = []

  constructor(
    private readonly ticket: () => Promise<string> = async () =>
      (await answer(api.POST('/api/v1/session/ticket'))).ticket,
    private readonly url: string = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
  ) {}

  /** Begin; harmless when repeated. */
  open(): void {
    if (this.beat !== undefined) return
    this.beat = setInterval(() => this.watch(), PING_MS)
    document.addEventListener('visibilitychange', () => document.hidden || this.flush())
    void this.connect()
  }

  /** End for good. */
  close(): void {
    this.closed = true
    clearInterval(this.beat)
    clearTimeout(this.timer)
    this.socket?.close()
  }

  /** The server's clock now, in epoch milliseconds: what `since_ms` is compared with. */
  nowMs(): number {
    return Date.now() + this.offsetMs
  }

  /** Follow a topic; call the returned function when nobody needs it any more. */
  follow<Name extends TopicName>(name: Name): { topic: Topic<DocumentOf<Name>>; leave: () => void } {
    let topic = this.topics.get(name) as Topic<DocumentOf<Name>> | undefined
    if (topic === undefined) {
      topic = new Topic<DocumentOf<Name>>(name)
      this.topics.set(name, topic as Topic<unknown>)
      this.send({ type: 'subscribe', topic: name })
    }
    topic.users += 1
    const followed = topic
    let left = false
    return {
      topic,
      leave: () => {
        if (left) return
        left = true
        followed.users -= 1
        if (followed.users > 0) return
        this.topics.delete(name)
        this.send({ type: 'unsubscribe', topic: name })
      },
    }
  }

  /** Tell the server that this pop has been painted. It is told again after a cut, until the server knows. */
  ack(pop_id: number): void {
    const frame: ClientFrame = { type: 'ack', pop_id }
    if (!this.send(frame)) this.waiting.push(frame)
  }

  private send(frame: ClientFrame): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN || this.status !== 'live') return false
    this.socket.send(JSON.stringify(frame))
    return true
  }

  private async connect(): Promise<void> {
    this.tries += 1
    let ticket: string
    try {
      ticket = await this.ticket()
    } catch {
      this.again()
      return
    }
    if (this.closed) return
    const socket = new WebSocket(this.url)
    this.socket = socket
    socket.onopen = () => socket.send(JSON.stringify({ type: 'ticket', ticket } satisfies ClientFrame))
    socket.onmessage = (event: MessageEvent<string>) => this.take(JSON.parse(event.data) as ServerFrame)
    socket.onclose = () => {
      if (this.socket === socket) this.lost()
    }
  }

  private lost(): void {
    this.socket = undefined
    this.stale()
    this.again()
  }

  private again(): void {
    if (this.closed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.connect(), backoffMs(this.tries, Math.random()))
  }

  private stale(): void {
    if (this.status === 'live') this.silentSinceMs = this.nowMs()
    this.status = this.status === 'connecting' ? 'connecting' : 'stale'
  }

  private watch(): void {
    if (this.socket === undefined) return
    const silentMs = Date.now() - this.heardMs
    if (silentMs > 2 * SILENT_MS && this.socket.readyState === WebSocket.OPEN) {
      const socket = this.socket
      this.lost() // half-open: nothing was heard although it says it is open
      socket.close()
    } else if (silentMs > SILENT_MS) {
      this.stale()
    }
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ type: 'ping' } satisfies ClientFrame))
    }
  }

  private take(frame: ServerFrame): void {
    this.heardMs = Date.now()
    switch (frame.type) {
      case 'hello':
        this.offsetMs = frame.server_ms - Date.now()
        this.tries = 0
        this.live()
        for (const topic of this.topics.values()) {
          const from = topic.pending.cursor
          this.send({ type: 'subscribe', topic: topic.name, ...(from === undefined ? {} : { from }) })
        }
        for (const waiting of this.waiting.splice(0)) this.send(waiting)
        break
      case 'pong':
        this.offsetMs = frame.server_ms - Date.now()
        this.live()
        break
      case 'snapshot':
      case 'delta':
        this.topics.get(frame.topic)?.pending.take(frame)
        this.askFrame()
        break
      case 'refused': {
        const topic = this.topics.get(frame.topic)
        if (topic !== undefined) topic.refused = frame.error_id
        break
      }
      case 'gone':
        this.socket?.close()
        break
    }
  }

  private live(): void {
    this.status = 'live'
    this.silentSinceMs = null
  }

  private askFrame(): void {
    if (this.frameAsked) return
    this.frameAsked = true
    // A hidden page gets no animation frames; it follows slowly.
    if (document.hidden) setTimeout(() => this.flush(), HIDDEN_FRAME_MS)
    else requestAnimationFrame(() => this.flush())
  }

  private flush(): void {
    this.frameAsked = false
    for (const topic of this.topics.values()) {
      if (topic.pending.isEmpty) continue
      const { set, remove } = topic.pending.flush(topic.data.keys())
      for (const key of remove) topic.data.delete(key)
      for (const [key, value] of set) topic.data.set(key, value)
      topic.ready = true
    }
  }
}
