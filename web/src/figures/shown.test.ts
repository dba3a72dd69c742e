import { expect, test } from 'vitest'
import { setLanguage } from '@/i18n/index.svelte'
import { byId, formulaText, shortName, termName, tipText, valueOf, valueText, type Formula, type Line } from './shown'

setLanguage('en')
const LEVEL: Formula = {
  formula_id: 'SL-C',
  unit: 'share',
  over: ['answered_within_count'],
  under: ['answered_count', 'abandoned_count'],
  less: ['short_abandoned_count'],
}
const HANDLING: Formula = {
  formula_id: 'AHT',
  unit: 's',
  over: ['talk_ms', 'hold_ms'],
  under: ['handled_count'],
  less: [],
}
const LONGEST: Formula = { formula_id: 'WAIT_P90', unit: 's', over: ['answered_count'], under: [], less: [] }
const FORMULAS = byId([LEVEL, HANDLING, LONGEST])
const ROW: Line = {
  start: '2026-03-02T00:00:00Z',
  end: '2026-03-03T00:00:00Z',
  key: 'sales',
  terms: { answered_within_count: 3, answered_count: 4, abandoned_count: 2, short_abandoned_count: 1, talk_ms: 90_500 },
  figures: { 'SL-C': 0.6, AHT: null },
  grade: 'live',
  is_running: false,
}

test('a formula is said with the row’s numbers, and what is not taken off is not said', () => {
  expect(formulaText(LEVEL)).toBe('answered in time ÷ (answered + abandoned − short abandons)')
  expect(formulaText(LEVEL, ROW)).toBe('answered in time 3 ÷ (answered 4 + abandoned 2 − short abandons 1)')
  const none = { ...ROW, terms: { ...ROW.terms, short_abandoned_count: 0 } }
  expect(formulaText({ ...LEVEL, under: ['answered_count'] }, none)).toBe('answered in time 3 ÷ answered 4')
  expect(formulaText(HANDLING, ROW)).toBe('(talk 1:30 + hold 0:00) ÷ handled 0')
})

test('a figure without calls is blank, a term that is not sent is 0', () => {
  expect(valueText(valueOf(ROW, 'AHT', FORMULAS), 'AHT', FORMULAS)).toBe('')
  expect(valueText(valueOf(ROW, 'SL-C', FORMULAS), 'SL-C', FORMULAS)).toBe('60.0%')
  expect(valueText(valueOf(ROW, 'hold_ms', FORMULAS), 'hold_ms', FORMULAS)).toBe('0:00')
  expect(tipText(ROW, 'AHT', FORMULAS)).toContain('blank')
  expect(tipText(ROW, 'SL-C', FORMULAS)).toContain('= 60.0%')
})

test('each term and figure has a name', () => {
  expect(termName('exit.queue_timeout')).toBe('Queue timeout')
  expect(termName('exit.abandoned')).toBe('abandoned, not short')
  expect(shortName('WAIT_P90', FORMULAS)).toBe('P90')
  expect(shortName('offered_count', FORMULAS)).toBe('offered')
})
