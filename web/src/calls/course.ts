// The course of a call as bars to scale: tracks in order, each segment with its place in per cent. Pure.
import type { Schemas } from '@/api/client'

export type Story = Schemas['CallStory']
export type Segment = Story['segments'][number]
export interface Bar {
  readonly segment: Segment
  readonly from_s: number
  readonly length_s: number
  readonly from_percent: number
  readonly width_percent: number
}
export interface Track {
  readonly id: string
  readonly agent_id: string | null
  readonly bars: readonly Bar[]
}
export interface Course {
  readonly length_s: number
  readonly tracks: readonly Track[]
  readonly ticks_s: readonly number[]
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
const TICKS_MAX = 7

/** Lay out a call; what still runs is drawn until *now_ms*. */
export function courseOf(story: Pick<Story, 'segments'>, now_ms: number): Course {
  const ms = (at: string | null | undefined) => (at ? Date.parse(at) : now_ms)
  const segments = story.segments.filter((each) => each.ended_at !== each.started_at)
  const began_ms = Math.min(...segments.map((each) => ms(each.started_at)))
  const ended_ms = Math.max(...segments.map((each) => ms(each.ended_at)))
  if (!segments.length) return { length_s: 0, tracks: [], ticks_s: [] }
  const length_ms = Math.max(1, ended_ms - began_ms)
  const bar = (segment: Segment): Bar => {
    const from_ms = ms(segment.started_at) - began_ms
    const width_ms = ms(segment.ended_at) - ms(segment.started_at)
    return {
      segment,
      from_s: from_ms / 1000,
      length_s: width_ms / 1000,
      from_percent: (from_ms / length_ms) * 100,
      width_percent: (width_ms / length_ms) * 100,
    }
  }
  const ids = [...new Set(segments.map((each) => each.track))].sort(
    (one, other) => Number(other === 'customer') - Number(one === 'customer') || first(one) - first(other),
  )
  function first(id: string): number {
    return Math.min(...segments.filter((each) => each.track === id).map((each) => ms(each.started_at)))
  }
  const tracks = ids.map((id) => ({
    id,
    agent_id: id === 'customer' ? null : (id.split('#')[0] ?? null),
    bars: segments.filter((each) => each.track === id).map(bar),
  }))
  return { length_s: length_ms / 1000, tracks, ticks_s: ticksOf(length_ms / 1000) }
}

/** Moments to write under the picture: round ones, at most eight. */
export function ticksOf(length_s: number): number[] {
  const step_s = STEPS_S.find((each) => length_s / each <= TICKS_MAX) ?? Math.ceil(length_s / TICKS_MAX / 3600) * 3600
  return Array.from({ length: Math.floor(length_s / step_s) + 1 }, (_, at) => at * step_s)
}
