import { describe, expect, it } from 'vitest'
import { askingOf, openedSearch, pairName, queryOf, searchOf } from './asking'

describe('what is asked of persons and transfers', () => {
  it('comes back from its own address', () => {
    const asking = { ...askingOf('persons', new URLSearchParams('by=team&within=14&range=own&first=2026-11-01&sort=-FCR')), last: '' }
    expect(askingOf('persons', searchOf(asking))).toEqual(asking)
    expect(queryOf(asking, '2026-11-24')).toEqual({ first: '2026-11-01', last: '2026-11-24', step: 'range', by: 'team', within_days: 14 })
  })

  it('passes over what it does not know', () => {
    const asking = askingOf('transfers', new URLSearchParams('by=reason&within=1000&range=days'))
    expect([asking.by, asking.within_days, asking.range]).toEqual(['queue', 7, 'month'])
    expect(queryOf(asking, '2026-11-24')).not.toHaveProperty('within_days')
  })

  it('opens a number with its key, also where that is empty', () => {
    const search = openedSearch(askingOf('transfers', new URLSearchParams()), { figure: 'blind_count', against: '', start: '', end: '', key: '' })
    expect(search.toString()).toBe('tab=transfers&figure=blind_count&key=')
  })

  it('names both sides of a pair', () => {
    const words = { none: 'None', outside: 'outside' }
    const names = { 'queue:sales': 'Sales', 'agent:a1001': 'Ana' }
    expect(pairName('queue', 'sales>agent:a1001', names, words)).toBe('Sales → Ana')
    expect(pairName('agent', '>outside', names, words)).toBe('None → outside')
    expect(pairName('queue', 'gone>queue:sales', names, words)).toBe('gone → Sales')
  })
})
