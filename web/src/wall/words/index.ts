import { words } from '@/i18n/index.svelte'
import { en } from './en'
import { zhHant } from './zh-Hant'

export const catalogues = { en, 'zh-Hant': zhHant }
export const t = words(catalogues)
