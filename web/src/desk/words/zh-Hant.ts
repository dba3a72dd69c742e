import type { Sentence } from '@/i18n/index.svelte'
import type { en } from './en'

export const zhHant: Record<keyof typeof en, Sentence> = {
  'desk.title': '客服桌面',
}
