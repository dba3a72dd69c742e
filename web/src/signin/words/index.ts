import { errorText, words } from '@/i18n/index.svelte'
import type { Problem } from '@/api/client'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)

/** The sentence of a refusal: this page's own, else the one that all pages share. */
export function problemText(problem: Pick<Problem, 'error_id' | 'params'>): string {
  const key = `error.${problem.error_id}`
  return key in en ? t(key as keyof typeof en) : errorText(problem)
}
