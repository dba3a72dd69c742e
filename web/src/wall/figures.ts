// The sentences behind figures: the formula as the server's table has it, with its inputs, and how complete it is.
import { c, clock, number, percent } from '@/i18n/index.svelte'
import type { Schemas } from '@/api/client'
import type { Figures } from './board'
import { t, termWord } from './words'

export type Formulas = Readonly<Record<string, Schemas['BoardFormula']>>

/** The service level: its formula with its numbers, and how complete they are. */
export function serviceLevelText(formulas: Formulas | undefined, figures: Figures | undefined, threshold_s?: number): string {
  if (figures === undefined) return ''
  const id = figures.service_level_formula
  const value = percent(figures.service_level) || t('figure.blank')
  const within = threshold_s === undefined ? '' : `; ${t('figure.threshold', { threshold_s })}`
  return said(formulas, id, figures, `${value}${within}`)
}

export function handleTimeText(formulas: Formulas | undefined, figures: Figures | undefined): string {
  if (figures?.aht_s == null) return ''
  const parts = t('figure.aht', {
    talk: clock(figures.talk_s),
    hold: clock(figures.hold_s),
    wrap_up: clock(figures.wrap_up_s),
    count: figures.handled_count,
  })
  return said(formulas, 'AHT', figures, `${clock(figures.aht_s)}; ${parts}`)
}

export function answerText(formulas: Formulas | undefined, figures: Figures | undefined): string {
  if (figures?.asa_s == null) return ''
  return said(formulas, 'ASA', figures, `${clock(figures.asa_s)}; ${t('figure.asa', { longest: clock(figures.wait_max_s) })}`)
}

export function abandonedText(figures: Figures | undefined): string {
  if (figures === undefined) return ''
  return `${t('figure.abandoned', { short: figures.short_abandoned_count })} · ${gradeText(figures)}`
}

/** How complete a figure is. */
export function gradeText(figures: Figures): string {
  return t('figure.grade', { grade: c(`grade.${figures.grade}`) })
}

/** A formula in words, with the numbers that are known. */
export function formulaText(formula: Schemas['BoardFormula'], figures: Figures): string {
  const known = figures as unknown as Readonly<Record<string, unknown>>
  const one = (term: string) => {
    const value = known[term]
    return typeof value === 'number' ? `${termWord(term)} ${number(value)}` : termWord(term)
  }
  const less = formula.less.map((term) => ` − ${one(term)}`).join('')
  const wrapped = (text: string, count: number) => (count > 1 ? `(${text})` : text)
  const over = wrapped(formula.over.map(one).join(' + '), formula.over.length)
  return `${over} ÷ ${wrapped(formula.under.map(one).join(' + ') + less, formula.under.length + formula.less.length)}`
}

function said(formulas: Formulas | undefined, id: string, figures: Figures, value: string): string {
  const formula = formulas?.[id]
  return `${id}${formula ? ` = ${formulaText(formula, figures)}` : ''} = ${value} · ${gradeText(figures)}`
}

/** A count; nothing while it is not known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : number(value)
}
