// The sentences behind figures: the formula with its inputs, the parts of a mean.
import { clock, number } from '@/i18n/index.svelte'
import type { Figures } from './board'
import { t } from './words'

export function serviceLevelText(figures: Figures | undefined, threshold_s: number | undefined): string {
  if (figures === undefined) return ''
  return t('figure.service_level', {
    formula: figures.service_level_formula,
    within: figures.answered_within_count,
    threshold_s: threshold_s ?? 'T',
    answered: figures.answered_count,
    abandoned: figures.abandoned_count,
    short: figures.short_abandoned_count,
  })
}

export function handleTimeText(figures: Figures | undefined): string {
  if (figures?.aht_s == null) return ''
  return t('figure.aht', {
    talk: clock(figures.talk_s),
    hold: clock(figures.hold_s),
    wrap_up: clock(figures.wrap_up_s),
    count: figures.handled_count,
  })
}

export function answerText(figures: Figures | undefined): string {
  return figures?.asa_s == null ? '' : t('figure.asa', { longest: clock(figures.wait_max_s) })
}

/** A count; nothing while it is not known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : number(value)
}
