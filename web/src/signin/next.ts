// Where to go after signing in: to the page that sent us here, when it is one of ours and the role has it.
import { facesOf, homeOf } from '@/parts/faces'
import type { Role } from '@/session/session.svelte'

/** The path of `?next=` when it leads to a page of *role* on this origin, else where the role begins. */
export function nextPath(search: string, role: Role, origin: string): string {
  const wanted = new URLSearchParams(search).get('next') ?? ''
  let url: URL
  try {
    url = new URL(wanted, origin)
  } catch {
    return homeOf(role)
  }
  const isOurs = /^\/[^/\\]/.test(wanted) && url.origin === origin
  const isTheirs = facesOf(role).some((face) => face.path === url.pathname)
  return isOurs && isTheirs ? url.pathname + url.search + url.hash : homeOf(role)
}
