// What goes over the socket. A topic is a keyed document: a snapshot gives all of it, a delta whole values by
// key (null: the key is gone). The cursor (epoch, seq) says how far a page has read.

export interface Cursor {
  readonly epoch: number
  readonly seq: number
}

export type Changes = Readonly<Record<string, unknown>>

export type ServerFrame =
  | { type: 'hello'; protocol: number; epoch: number; seq: number; server_ms: number }
  | { type: 'snapshot'; topic: string; epoch: number; seq: number; data: Changes }
  | { type: 'delta'; topic: string; epoch: number; seq: number; changes: Changes }
  | { type: 'refused'; topic: string; error_id: string }
  | { type: 'gone'; reason: string }
  | { type: 'pong'; server_ms: number }

export type ClientFrame =
  | { type: 'ticket'; ticket: string }
  | { type: 'subscribe'; topic: string; from?: Cursor }
  | { type: 'unsubscribe'; topic: string }
  | { type: 'ack'; pop_id: number }
  | { type: 'ping' }

/** What a document becomes: values to set and keys to remove, in one go. */
export interface Patch {
  readonly set: ReadonlyMap<string, unknown>
  readonly remove: ReadonlySet<string>
}

/** Collects what frames say about one topic until it is applied; a later value of a key replaces the earlier. */
export class Pending {
  private whole = false
  private readonly values = new Map<string, unknown>()
  private readonly gone = new Set<string>()
  cursor: Cursor | undefined

  get isEmpty(): boolean {
    return !this.whole && this.values.size === 0 && this.gone.size === 0
  }

  take(frame: Extract<ServerFrame, { type: 'snapshot' | 'delta' }>): void {
    this.cursor = { epoch: frame.epoch, seq: frame.seq }
    if (frame.type === 'snapshot') {
      this.whole = true
      this.values.clear()
      this.gone.clear()
    }
    for (const [key, value] of Object.entries(frame.type === 'snapshot' ? frame.data : frame.changes)) {
      if (value === null) {
        this.values.delete(key)
        this.gone.add(key)
      } else {
        this.gone.delete(key)
        this.values.set(key, value)
      }
    }
  }

  /** Return what changes a document that now has *keys*, and begin anew. */
  flush(keys: Iterable<string>): Patch {
    const remove = new Set(this.gone)
    if (this.whole) for (const key of keys) if (!this.values.has(key)) remove.add(key)
    const patch: Patch = { set: new Map(this.values), remove }
    this.whole = false
    this.values.clear()
    this.gone.clear()
    return patch
  }
}

/** Wait before try number *tries* (from 1), in milliseconds: doubling to 5 s, with jitter in [0.5, 1). */
export function backoffMs(tries: number, dice: number): number {
  return Math.min(5000, 250 * 2 ** Math.min(tries - 1, 6)) * (0.5 + dice / 2)
}
