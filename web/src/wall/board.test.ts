import { describe, expect, it } from 'vitest'
import { History, Levels, csv, held, levelOf, meanQuarter, serviceLevelBounds, sorted, trendOf, waitBounds } from './board'
import type { AgentRow } from './board'

describe('levels', () => {
  const bounds = serviceLevelBounds(0.8)

  it('are three, and blank without a value', () => {
    expect([0.8, 0.79, 0.69].map((value) => levelOf(value, bounds, null))).toEqual(['good', 'watch', 'bad'])
    expect(levelOf(null, bounds, 'bad')).toBeNull()
  })

  it('are left only when the value has come back clearly', () => {
    const levels = new Levels()
    const seen = [0.81, 0.799, 0.805, 0.811, 0.805].map((value) => levels.of('q', value, bounds))
    expect(seen).toEqual(['good', 'watch', 'watch', 'good', 'good'])
    expect(levelOf(0.705, bounds, 'bad')).toBe('bad')
    expect(levelOf(0.715, bounds, 'bad')).toBe('watch')
  })

  it('rise with a wait', () => {
    expect([20, 21, 61].map((value) => levelOf(value, waitBounds(20), null))).toEqual(['good', 'watch', 'bad'])
    expect(levelOf(19, waitBounds(20), 'watch')).toBe('watch')
    expect(levelOf(17, waitBounds(20), 'watch')).toBe('good')
  })
})

describe('trends', () => {
  it('look back five minutes, and say nothing before', () => {
    const history = new History()
    history.note(0, 3)
    expect(history.then(60_000)).toBeNull()
    for (let at_ms = 15_000; at_ms <= 600_000; at_ms += 1_000) history.note(at_ms, at_ms / 1000)
    expect(history.then(600_000)).toBe(300)
    expect(trendOf(5, 3, 1)).toBe('up')
    expect(trendOf(3.4, 3, 1)).toBe('flat')
  })

  it('compare a quarter of an hour with the mean one of today', () => {
    expect(meanQuarter(40, 0, 3_600_000)).toBe(10)
    expect(meanQuarter(40, 0, 60_000)).toBeNull()
  })
})

const agent = (agent_id: string, over: Partial<AgentRow> = {}): AgentRow => ({
  agent_id,
  display_name: 'Ana',
  team_id: null,
  team_name: null,
  reason_name: '',
  state: 'ready',
  reason: '',
  since_ms: 0,
  interaction_id: null,
  queue_ids: [],
  phone: { kind: 'desk', reachable: true },
  unseen_pop_since_ms: null,
  ...over,
})

it('orders agents in one way alone, whatever order they come in', () => {
  const agents = [agent('a2'), agent('a1'), agent('a3', { state: 'talking', since_ms: 5 })]
  expect(sorted(agents, 'name', [])).toEqual(['a1', 'a2', 'a3'])
  expect(sorted(agents.reverse(), 'state', ['talking', 'ready'])).toEqual(['a3', 'a1', 'a2'])
})

it('keeps the order that is looked at', () => {
  expect(held(['a', 'b', 'c'], ['c', 'd', 'a'])).toEqual(['a', 'c', 'd'])
})

it('writes tables that a spreadsheet takes for text', () => {
  expect(csv([['Name', 'n'], ['=HYPERLINK("x")', 1], ['a,"b"\n', null]])).toBe(
    'Name,n\r\n"\'=HYPERLINK(""x"")",1\r\n"a,""b""\n",\r\n',
  )
})
