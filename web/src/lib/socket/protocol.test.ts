import { describe, expect, it } from 'vitest'
import { Pending, backoffMs } from './protocol'

const at = (seq: number) => ({ topic: 'floor:all', epoch: 3, seq })
const applied = (pending: Pending, document: Map<string, unknown>): Map<string, unknown> => {
  const { set, remove } = pending.flush(document.keys())
  for (const key of remove) document.delete(key)
  for (const [key, value] of set) document.set(key, value)
  return document
}

describe('what frames say about a topic', () => {
  it('is a snapshot and then whole values by key', () => {
    const pending = new Pending()
    pending.take({ type: 'snapshot', ...at(5), data: { meta: 1, 'agent/a': { state: 'ready' } } })
    pending.take({ type: 'delta', ...at(6), changes: { 'agent/a': { state: 'talking' }, meta: null } })
    expect([...applied(pending, new Map())]).toEqual([['agent/a', { state: 'talking' }]])
    expect(pending.cursor).toEqual({ epoch: 3, seq: 6 })
  })

  it('gives the same document whether applied at each frame or once at the end', () => {
    const frames = [
      { type: 'snapshot', ...at(1), data: { a: 1, b: 1 } },
      { type: 'delta', ...at(2), changes: { b: null, c: 2 } },
      { type: 'delta', ...at(3), changes: { b: 3, c: null } },
      { type: 'snapshot', ...at(4), data: { b: 4, d: 4 } },
      { type: 'delta', ...at(5), changes: { d: null, e: 5 } },
    ] as const
    const [often, once] = [new Pending(), new Pending()]
    const document = new Map<string, unknown>([['old', 0]])
    for (const frame of frames) {
      often.take(frame)
      applied(often, document)
      once.take(frame)
    }
    const late = applied(once, new Map<string, unknown>([['old', 0]]))
    expect(new Map([...late].sort())).toEqual(new Map([...document].sort()))
    expect(Object.fromEntries(document)).toEqual({ b: 4, e: 5 })
  })

  it('leaves nothing behind when it was applied', () => {
    const pending = new Pending()
    pending.take({ type: 'snapshot', ...at(1), data: { a: 1 } })
    pending.flush([])
    expect(pending.isEmpty).toBe(true)
  })
})

it('waits longer from try to try, five seconds at most, and never not at all', () => {
  expect([1, 2, 3, 30].map((tries) => backoffMs(tries, 0.999))).toEqual(
    [250, 500, 1000, 5000].map((most) => expect.closeTo(most, -1)),
  )
  expect(backoffMs(1, 0)).toBe(125)
})
