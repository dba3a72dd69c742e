// Two faces of one bundle: /floor for supervisors, /wall for screens that everybody sees.
import { isLanguage, setLanguage } from '@/i18n/index.svelte'
import { showFace, showOpenFace } from '@/parts/face'
import Floor from './Floor.svelte'
import Wall from './Wall.svelte'

const asked = new URLSearchParams(location.hash.slice(1))
const language = asked.get('lang') ?? ''

if (location.pathname === '/floor') {
  void showFace(Floor)
} else {
  if (isLanguage(language)) setLanguage(language)
  if (asked.has('token')) showOpenFace(Wall)
  else void showFace(Wall)
}
