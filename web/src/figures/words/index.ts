import { words } from '@/i18n/index.svelte'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)

/** The word of an id that the server sends (`outcome.answered`); an id that no catalogue knows is shown as it is. */
export function word(group: string, id: string | null | undefined): string {
  if (id === null || id === undefined || id === '') return ''
  const key = `${group}.${id}`
  return key in en ? t(key as keyof typeof en) : id
}
