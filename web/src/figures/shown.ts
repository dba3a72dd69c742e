// Figures and terms as they are read: their names, their values, and the formula with its numbers.
import type { Schemas } from '@/api/client'
import { clock, number, percent } from '@/i18n/index.svelte'
import { outcomeWord } from '@/parts/call_words'
import { t, word } from './words'

export type Formula = Schemas['FormulaShown']
export type Formulas = ReadonlyMap<string, Formula>
export type Line = Schemas['FiguresLine']
const EXIT = 'exit.'

/** The table's formulas by id. */
export function byId(formulas: readonly Formula[]): Formulas {
  return new Map(formulas.map((each) => [each.formula_id, each]))
}

/** Whether there is such a figure, or a figure that is made of it. */
export function isColumn(column: string, formulas: Formulas): boolean {
  const of = ({ over, under, less }: Formula) => [...over, ...under, ...less].includes(column)
  return formulas.has(column) || [...formulas.values()].some(of)
}

/** The word of a term: `answered_count`, `exit.key`. */
export function termName(term: string): string {
  const said = word('term', term)
  return said === term && term.startsWith(EXIT) ? outcomeWord(term.slice(EXIT.length)) : said
}

/** What a column or number is called in short: the field's own sign, or the term's word. */
export function shortName(column: string, formulas: Formulas): string {
  if (!formulas.has(column)) return termName(column)
  return column.replace('WAIT_P', 'P').replace('WAIT_MAX', 'MAX').replace('_', ' ')
}

/** What a column is called in full. */
export function fullName(column: string, formulas: Formulas): string {
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
  const over = formula.over.map(said).join(' + ')
  const isShown = (term: string) => row === undefined || (row.terms[term] ?? 0) !== 0 // nothing is taken off: not said
  const less = formula.less.filter(isShown).map((term) => ` − ${said(term)}`).join('')
  const under = formula.under.map(said).join(' + ') + less
  const wrapped = (text: string, count: number) => (count > 1 ? `(${text})` : text)
  return `${wrapped(over, formula.over.length)} ÷ ${wrapped(under, formula.under.length + less.length)}`
}

/** The sentence behind a number: what it is, of what, and how it comes about. */
export function tipText(row: Line, column: string, formulas: Formulas): string {
  const formula = formulas.get(column)
  if (formula === undefined) return fullName(column, formulas)
  const value = valueText(valueOf(row, column, formulas), column, formulas) || t('formula.blank')
  return `${fullName(column, formulas)}: ${formulaText(formula, row)} = ${value}`
}
