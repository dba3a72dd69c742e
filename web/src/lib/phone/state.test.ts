import { describe, expect, test } from 'vitest'
import type { PhoneState } from './phone'
import { microphoneProblem, next, OFF, type PhoneEvent } from './state'

const REGISTERED: PhoneState = { link: 'registered', problem: null, call: null }

function after(events: PhoneEvent[], from: PhoneState = OFF): PhoneState {
  return events.reduce((state, event, at_ms) => next(state, event, at_ms), from)
}

describe('the link', () => {
  test('comes up, goes away and comes back by itself', () => {
    expect(after([{ type: 'connecting' }, { type: 'registered' }])).toEqual(REGISTERED)
    const lost = after([{ type: 'link_lost', problem: 'server_away' }], REGISTERED)
    expect(lost).toEqual({ link: 'connecting', problem: 'server_away', call: null })
    expect(after([{ type: 'registered' }], lost)).toEqual(REGISTERED)
  })

  test('leaves the call alone: its sound takes another way', () => {
    const talking = after([{ type: 'rings', re_attached: false }, { type: 'talks' }], REGISTERED)
    expect(after([{ type: 'link_lost', problem: 'server_away' }], talking).call?.phase).toBe('talking')
  })

  test('that was given up has no call and says why', () => {
    const given = after([{ type: 'rings', re_attached: false }, { type: 'gave_up', problem: 'used_elsewhere' }], REGISTERED)
    expect(given).toEqual({ link: 'failed', problem: 'used_elsewhere', call: null })
  })

  test('that is stopped forgets everything', () => {
    expect(after([{ type: 'rings', re_attached: false }, { type: 'stopped' }], REGISTERED)).toEqual(OFF)
  })
})

describe('a call', () => {
  test('rings, is answered, held, resumed and over; each phase says since when', () => {
    const steps: PhoneEvent[] = [
      { type: 'rings', re_attached: false },
      { type: 'answers' },
      { type: 'talks' },
      { type: 'holds' },
      { type: 'talks' },
    ]
    const phases = steps.map((_, count) => after(steps.slice(0, count + 1), REGISTERED).call)
    expect(phases.map((call) => [call?.phase, call?.since_ms])).toEqual([
      ['ringing', 0],
      ['answering', 1],
      ['talking', 2],
      ['held', 3],
      ['talking', 4],
    ])
    expect(after([...steps, { type: 'ended' }], REGISTERED)).toEqual(REGISTERED)
  })

  test('keeps what it is when the same is told twice', () => {
    const talking = after([{ type: 'rings', re_attached: false }, { type: 'talks' }], REGISTERED)
    expect(next(talking, { type: 'talks' }, 99)).toBe(talking)
    expect(next(talking, { type: 'mutes', on: false }, 99)).toBe(talking)
  })

  test('stays muted through a hold, and the next one begins unmuted', () => {
    const held = after([{ type: 'rings', re_attached: false }, { type: 'talks' }, { type: 'mutes', on: true }, { type: 'holds' }], REGISTERED)
    expect(held.call?.muted).toBe(true)
    expect(after([{ type: 'ended' }, { type: 'rings', re_attached: false }], held).call?.muted).toBe(false)
  })

  test('tells whether it came back after a reload', () => {
    expect(after([{ type: 'rings', re_attached: true }], REGISTERED).call?.re_attached).toBe(true)
  })

  test('that is over changes no more', () => {
    for (const type of ['answers', 'talks', 'holds', 'ended'] as const) {
      expect(next(REGISTERED, { type }, 5)).toBe(REGISTERED)
    }
  })
})

describe('the microphone', () => {
  test('keeps its problem over a new link, and loses it with the first word', () => {
    const refused = next(REGISTERED, { type: 'microphone', problem: 'microphone_denied' }, 0)
    expect(after([{ type: 'connecting' }, { type: 'registered' }], refused).problem).toBe('microphone_denied')
    expect(after([{ type: 'rings', re_attached: false }, { type: 'talks' }], refused).problem).toBe(null)
    expect(next(refused, { type: 'microphone', problem: null }, 1).problem).toBe(null)
  })

  test('problems are told apart by what the browser says', () => {
    const named = (name: string) => Object.assign(new Error(), { name })
    expect(microphoneProblem(named('NotAllowedError'))).toBe('microphone_denied')
    expect(microphoneProblem(named('NotFoundError'))).toBe('no_microphone')
    expect(microphoneProblem(named('NotReadableError'))).toBe('microphone_busy')
    expect(microphoneProblem('anything')).toBe('microphone_denied')
  })
})
