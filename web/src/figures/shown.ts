// Figures and terms as they are read: their names, their values, and the formula with its numbers.
import type { Schemas } from '@/api/client'
import { clock, number, percent } from '@/i18n/index.svelte'
import { outcomeWord } from '@/parts/call_words'
import { reasonWord, stateWord } from '@/parts/states'
import { reasonNames } from './reasons.svelte'
import { t, word } from './words'

export type Formula = Schemas['FormulaShown']
export type Formulas = ReadonlyMap<string, Formula>
export type Line = Schemas['FiguresLine']
const EXIT = 'exit.'
const STATE = 'state.'
const REASON = 'reason.'
const MS = '_ms'
const OF_REASON = 'TIME_NOT_READY.'

/** The table's formulas by id. */
export function byId(formulas: readonly Formula[]): Formulas {
  return new Map(formulas.map((each) => [each.formula_id, each]))
}

/** Whether there is such a figure, or a figure that is made of it. */
export function isColumn(column: string, formulas: Formulas): boolean {
  const of = ({ over, under, less }: Formula) => [...over, ...under, ...less].includes(column)
  return formulas.has(column) || [...formulas.values()].some(of)
}

/** The word of a term: `answered_count`, `exit.key`, `state.ready_ms`, `reason.lunch_ms`. */
export function termName(term: string): string {
  const said = word('term', term)
  if (said !== term) return said
  if (term.startsWith(EXIT)) return outcomeWord(term.slice(EXIT.length))
  if (term.startsWith(STATE)) return stateWord(term.slice(STATE.length, -MS.length))
  return term.startsWith(REASON) ? reasonName(term.slice(REASON.length, -MS.length)) : said
}

/** What a reason for not being ready is called. */
export function reasonName(reason: string): string {
  return reasonWord(reason, reasonNames.of[reason])
}

/** What a column or number is called in short: the field's own sign, or the term's word. */
export function shortName(column: string, formulas: Formulas): string {
  if (!formulas.has(column)) return termName(column)
  if (column.startsWith(OF_REASON)) return reasonName(column.slice(OF_REASON.length))
  const said = word('short', column)
  if (said !== column) return said
  return column.replace('WAIT_P', 'P').replace('WAIT_MAX', 'MAX').replace('_', ' ')
}

/** What a column is called where it is chosen: its sign and what that stands for, or what it is called in full. */
export function chosenName(column: string, formulas: Formulas): string {
  const full = fullName(column, formulas)
  const isSign = formulas.has(column) && !column.startsWith(OF_REASON) && word('short', column) === column
  return isSign ? `${shortName(column, formulas)} ${full}` : full
}

/** What a column is called in full. */
export function fullName(column: string, formulas: Formulas): string {
  if (column.startsWith(OF_REASON)) return t('figure.reason', { reason: reasonName(column.slice(OF_REASON.length)) })
  return formulas.has(column) ? word('figure', column) : termName(column)
}

/** The value of a column in a row; null: no calls. */
export function valueOf(row: Line, column: string, formulas: Formulas): number | null {
  return formulas.has(column) ? (row.figures[column] ?? null) : (row.terms[column] ?? 0)
}

/** A value as it is read: a share, a length, a count; blank for no calls. */
export function valueText(value: number | null, column: string, formulas: Formulas): string {
  if (value === null) return ''
  const formula = formulas.get(column)
  if (formula?.unit === 'share') return percent(value)
  if (formula?.unit === 'per_h') return number(value, 1)
  return formula !== undefined ? clock(value) : termText(column, value)
}

/** A term's value: a length for what is in milliseconds, else a count. */
export function termText(term: string, value: number): string {
  return term.endsWith('_ms') ? clock(value / 1000) : number(value)
}

/** The formula in words, with the numbers of a row where there is one. */
export function formulaText(formula: Formula, row?: Line): string {
  if (formula.under.length === 0) return t('formula.quantile')
  const said = (term: string) =>
    row === undefined ? termName(term) : `${termName(term)} ${termText(term, row.terms[term] ?? 0)}`
  const isThere = (term: string) => row === undefined || (row.terms[term] ?? 0) !== 0
  if (formula.unit === 'total_s') {
    const there = formula.over.filter(isThere)
    return (there.length > 0 ? there : formula.over.slice(0, 1)).map(said).join(' + ')
  }
  const over = formula.over.map(said).join(' + ')
  const taken = formula.less.filter(isThere) // nothing is taken off: not said
  const less = taken.map((term) => ` − ${said(term)}`).join('')
  const below = isSignedIn(formula.under) ? [signedInText(formula.under, row)] : formula.under.map(said)
  const under = below.join(' + ') + less
  const wrapped = (text: string, count: number) => (count > 1 ? `(${text})` : text)
  return `${wrapped(over, formula.over.length)} ÷ ${wrapped(under, below.length + less.length)}`
}

/** Whether these are all the states, which make the signed-in time. */
function isSignedIn(terms: readonly string[]): boolean {
  return terms.length > 5 && terms.every((term) => term.startsWith(STATE))
}

function signedInText(terms: readonly string[], row?: Line): string {
  const name = t('formula.signed_in')
  const total_ms = terms.reduce((sum, term) => sum + (row?.terms[term] ?? 0), 0)
  return row === undefined ? name : `${name} ${clock(total_ms / 1000)}`
}

/** Why a figure is blank. */
export function blankText(formula: Formula | undefined): string {
  return t(formula?.under.some((term) => term.startsWith(STATE)) ? 'formula.blank_time' : 'formula.blank')
}

/** The sentence behind a number: what it is, of what, and how it comes about. */
export function tipText(row: Line, column: string, formulas: Formulas): string {
  const formula = formulas.get(column)
  if (formula === undefined) return fullName(column, formulas)
  const value = valueText(valueOf(row, column, formulas), column, formulas) || blankText(formula)
  return `${fullName(column, formulas)}: ${formulaText(formula, row)} = ${value}`
}
