import type { Catalogue } from '@/i18n/index.svelte'

export const en = {
  'desk.title': 'Desk',
} as const satisfies Catalogue
