import { expect, test } from 'vitest'
import { setLanguage } from '@/i18n/index.svelte'
import { reasonNames } from './reasons.svelte'
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

const SHARE: Formula = {
  formula_id: 'UTILISATION',
  unit: 'share',
  over: ['state.talking_ms', 'state.wrap_up_ms'],
  under: ['ready', 'reserved', 'ringing', 'talking', 'holding', 'wrap_up'].map((state) => `state.${state}_ms`),
  less: [],
}
const TOTAL: Formula = { ...SHARE, formula_id: 'SIGNED_IN', unit: 'total_s', over: SHARE.under }
const LUNCH: Formula = { ...TOTAL, formula_id: 'TIME_NOT_READY.lunch', over: ['reason.lunch_ms'] }
const HOURLY: Formula = { ...SHARE, formula_id: 'CALLS_PER_HOUR', unit: 'per_h', over: ['handled_count'] }
const AGENTS = byId([SHARE, TOTAL, LUNCH, HOURLY])
const AGENT: Line = {
  ...ROW,
  terms: { 'state.ready_ms': 3_000_000, 'state.talking_ms': 600_000, 'reason.lunch_ms': 60_000, handled_count: 2 },
  figures: { UTILISATION: 1 / 6, SIGNED_IN: 3_600, CALLS_PER_HOUR: 2, 'TIME_NOT_READY.lunch': 60 },
}

test('time is a sum of what there is of it, and the signed-in time below a line is one', () => {
  expect(formulaText(TOTAL, AGENT)).toBe('Ready 50:00 + Talking 10:00')
  expect(formulaText(SHARE, AGENT)).toBe('(Talking 10:00 + Wrap-up 0:00) ÷ signed-in time 1:00:00')
  expect(formulaText(HOURLY)).toBe('handled ÷ signed-in time')
  expect(valueText(valueOf(AGENT, 'CALLS_PER_HOUR', AGENTS), 'CALLS_PER_HOUR', AGENTS)).toBe('2.0')
  expect(valueText(valueOf(AGENT, 'SIGNED_IN', AGENTS), 'SIGNED_IN', AGENTS)).toBe('1:00:00')
  expect(tipText({ ...AGENT, figures: {} }, 'UTILISATION', AGENTS)).toContain('No such time')
})

test('a reason for not being ready is called as the centre calls it', () => {
  expect(shortName('TIME_NOT_READY.lunch', AGENTS)).toBe('Lunch')
  reasonNames.of = { lunch: 'Midday' }
  expect(shortName('TIME_NOT_READY.lunch', AGENTS)).toBe('Midday')
  expect(termName('reason.ring_no_answer_ms')).toBe('Did not answer')
  reasonNames.of = {}
})

test('each term and figure has a name', () => {
  expect(termName('exit.queue_timeout')).toBe('Queue timeout')
  expect(termName('exit.abandoned')).toBe('abandoned, not short')
  expect(shortName('WAIT_P90', FORMULAS)).toBe('P90')
  expect(shortName('offered_count', FORMULAS)).toBe('offered')
})
