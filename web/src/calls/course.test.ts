import { describe, expect, it } from 'vitest'
import { courseOf, ticksOf, type Segment } from './course'

const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 0, 0, second)).toISOString()
const segment = (track: string, kind: string, from: number, until: number | null): Segment =>
  ({
    track,
    kind,
    ordinal: 0,
    started_at: at(from),
    ended_at: until === null ? null : at(until),
  }) as unknown as Segment

describe('the course of a call', () => {
  it('puts the caller first, then agents as they took part, to scale', () => {
    const course = courseOf(
      {
        segments: [
          segment('a2#2', 'talk', 20, 40),
          segment('a1#1', 'ring', 5, 10),
          segment('customer', 'queued', 0, 20),
          segment('customer', 'talking', 20, 40),
          segment('a2#2', 'wrap_up', 40, 50),
        ],
      },
      0,
    )
    expect(course.tracks.map((track) => [track.id, track.agent_id])).toEqual([
      ['customer', null],
      ['a1#1', 'a1'],
      ['a2#2', 'a2'],
    ])
    expect(course.length_s).toBe(50)
    expect(course.tracks[0]!.bars.map((bar) => [bar.from_percent, bar.width_percent])).toEqual([
      [0, 40],
      [40, 40],
    ])
  })

  it('draws what still runs until now, and nothing for nothing', () => {
    const course = courseOf({ segments: [segment('customer', 'queued', 0, null)] }, Date.parse(at(30)))
    expect(course.length_s).toBe(30)
    expect(courseOf({ segments: [] }, 0).tracks).toEqual([])
  })

  it('writes round moments, never many', () => {
    for (const length_s of [1, 42, 61, 599, 3599, 40_000]) {
      const ticks = ticksOf(length_s)
      expect(ticks[0]).toBe(0)
      expect(ticks.length).toBeLessThanOrEqual(8)
      expect(ticks.at(-1)).toBeLessThanOrEqual(length_s)
    }
  })
})
