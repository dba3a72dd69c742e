import { Problem } from '@/api/client'
import { errorText, words } from '@/i18n/index.svelte'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)

/** What an error says on this page. */
export function said(problem: Problem): string {
  const key = `error.${problem.error_id}`
  return key in en ? t(key as keyof typeof en) : errorText(problem)
}
