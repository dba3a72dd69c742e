// Mounts a face: appearance before the first paint, the session, then the page.
import { mount, type Component } from 'svelte'
import '../style/base.css'
import { settle, signedIn, type Session } from '../session/session.svelte'
import { Problem } from '../api/client'
import { errorText } from '../i18n/index.svelte'

/** Show *page* to whoever is signed in; nobody: the sign-in page opens and comes back. */
export async function showFace(page: Component<{ session: Session }>): Promise<void> {
  settle()
  const target = document.getElementById('app')!
  try {
    const session = await signedIn()
    mount(page, { target, props: { session } })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.status === 401) return
    const text = document.createElement('p')
    text.setAttribute('role', 'alert')
    text.textContent = errorText(error)
    target.replaceChildren(text)
  }
}

/** Show *page* to everybody (the sign-in page, a wallboard with a link of its own). */
export function showOpenFace(page: Component): void {
  settle()
  mount(page, { target: document.getElementById('app')! })
}
